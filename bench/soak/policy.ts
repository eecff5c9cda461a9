// The policy of a soak: two versions of several servers, with everything that keeps requests alive.
export type SoakPlace = {
  readonly folder: string;
  readonly policyFile: string;
  readonly ports: {
    readonly traffic: number;
    readonly admin: number;
    readonly stable: readonly number[];
    readonly canary: readonly number[];
  };
  readonly workers: number;
  readonly certificate: { readonly cert: string; readonly key: string };
};

/** The policy as YAML. `leavesOut`: the last server of the baseline is not in it. */
export function policyText(
  { ports, workers, certificate, folder }: SoakPlace,
  { percent, leavesOut }: { percent: number; leavesOut: boolean },
): string {
  const stable = leavesOut ? ports.stable.slice(0, -1) : ports.stable;
  return `
version: 1
listen: 127.0.0.1:${ports.traffic}
admin: { listen: 127.0.0.1:${ports.admin} }
tls: { cert: ${certificate.cert}, key: ${certificate.key} }
workers: ${workers}
store: sqlite:${folder}/graygate.db
rollouts:
  - name: soak
    versions:
      stable:${versionText(stable, 'round-robin')}
      canary:${versionText(ports.canary, 'least-requests')}
    split: { canary: ${percent} }
`;
}

function versionText(servers: readonly number[], balance: string): string {
  return `
        servers: [${servers.map((port) => `http://127.0.0.1:${port}`).join(', ')}]
        balance: ${balance}
        health: { path: /health, every: 1s, timeout: 500ms, unhealthyAfter: 2, healthyAfter: 1 }
        eject: { after: 3, within: 5s, for: 2s, max: 50 }
        timeouts: { connect: 500ms, response: 1s, idle: 5s }
        retries: { attempts: 2, on: [connect, reset, timeout, 502, 503, 504], budget: 100 }`;
}
