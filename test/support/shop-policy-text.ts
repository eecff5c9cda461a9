// The text of a policy for tests with real processes: one rollout, two versions.

/** `canary` absent: both versions are the same server. */
export type ShopServers = { readonly stable: string; readonly canary?: string };

/** A policy on free ports that gives half of the users each version. `keys`: as `shopRolloutText`. */
export function shopPolicyText(servers: ShopServers, keys: string): string {
  return shopRolloutText(servers, `split: { canary: 50 }\n${keys.trim()}`);
}

/** A policy on free ports. `keys`: further keys of the rollout as YAML, one block without indentation. */
export function shopRolloutText({ stable, canary = stable }: ShopServers, keys: string): string {
  return `version: 1
listen: 127.0.0.1:0
admin: { listen: 127.0.0.1:0 }
rollouts:
  - name: shop
    versions:
      stable: { servers: ["${stable}"] }
      canary: { servers: ["${canary}"] }
${keys.trim().replaceAll(/^/gm, '    ')}
`;
}
