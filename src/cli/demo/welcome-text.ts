// What the demo prints when it is up: where everything is, and commands to try that work as they stand.

export type DemoAddresses = {
  readonly traffic: string;
  readonly admin: string;
  readonly oldShop: string;
  readonly newShop: string;
  /** As it can be opened from the working directory. */
  readonly policy: string;
};

export type WelcomeFacts = {
  readonly addresses: DemoAddresses;
  /** How the new shop behaves. */
  readonly behaviour: string;
  /** For each version that was met, a user it is shown to. */
  readonly users: ReadonlyMap<string, string>;
  /** What the generator does; null where there is none. */
  readonly traffic: string | null;
};

/** Several lines, without the last line end. */
export function welcomeText({ addresses, behaviour, users, traffic }: WelcomeFacts): string {
  const { admin, newShop, oldShop, policy } = addresses;
  const visits = [...users].map(([version, user]) => [
    `curl -i -H 'x-user-id: ${user}' ${addresses.traffic}/`,
    `${user} gets ${version}, always`,
  ]);
  const tries: readonly (readonly string[])[] = [
    ...visits,
    [`curl -s -o /dev/null -D - -H 'x-user-id: tester-1' ${addresses.traffic}/`, 'a rule: testers get the new version'],
    [
      `curl -s -H 'x-user-id: u-1' -X POST -H 'content-type: application/json' -d '{"product":"jasmine"}' ${addresses.traffic}/api/cart`,
      'fill a cart',
    ],
    [`curl -s ${admin}/metrics | grep graygate_requests_total`, 'what Prometheus scrapes'],
    [
      `curl -s -X POST -H 'content-type: application/json' -d '{"errors":50}' ${newShop}/demo/behaviour`,
      'break the new shop: half of its answers fail',
    ],
    [`curl -s -X POST -H 'content-type: application/json' -d '{}' ${newShop}/demo/behaviour`, 'and mend it'],
    [`npx graygate explain --config ${quoteForShell(policy)} --user u-1`, 'why u-1 gets that version'],
  ];
  return `graygate demo

  gateway    ${addresses.traffic}   open it in a browser, sign in as somebody else
  admin      ${admin}   /healthz, /readyz, /metrics
  old shop   ${oldShop}   the old version
  new shop   ${newShop}   the new version, ${behaviour}
  policy     ${policy}   change "canary: 20" at its end and save: no restart
  traffic    ${traffic ?? 'none (--no-traffic)'}

Try in another terminal:

${tries.map(([command, comment]) => `  # ${comment}\n  ${command}`).join('\n')}

Ctrl-C stops everything.
`;
}

function quoteForShell(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
