// The text of a policy for tests with real processes: one rollout, two versions, half of the users each.

/** `canary` absent: both versions are the same server. */
export type ShopServers = { readonly stable: string; readonly canary?: string };

/** A policy on free ports. `keys`: further keys of the rollout as YAML, one block without indentation. */
export function shopPolicyText({ stable, canary = stable }: ShopServers, keys: string): string {
  return `version: 1
listen: 127.0.0.1:0
admin: { listen: 127.0.0.1:0 }
rollouts:
  - name: shop
    versions:
      stable: { servers: ["${stable}"] }
      canary: { servers: ["${canary}"] }
    split: { canary: 50 }
${keys.trim().replaceAll(/^/gm, '    ')}
`;
}
