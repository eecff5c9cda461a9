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
  /** The rollout that moves. */
  readonly rollout: string;
};

/** Where verbs look when nobody says. */
const usualAdmin = 'http://127.0.0.1:9090';

type Try = readonly [command: string, comment: string];

/** Several lines, without the last line end. */
export function welcomeText(facts: WelcomeFacts): string {
  const { addresses, behaviour, traffic } = facts;
  const tries = [...lookingTries(facts), ...actingTries(facts)];
  return `graygate demo

  gateway    ${addresses.traffic}   open it in a browser, sign in as somebody else
  admin      ${addresses.admin}   /healthz, /readyz, /metrics, /api/v1
  old shop   ${addresses.oldShop}   the old version
  new shop   ${addresses.newShop}   the new version, ${behaviour}
  policy     ${addresses.policy}   write release: "2.0.1" and save: it begins again, no restart
  traffic    ${traffic ?? 'none (--no-traffic)'}

Try in another terminal:

${tries.map(([command, comment]) => `  # ${comment}\n  ${command}`).join('\n')}

Ctrl-C stops everything.
`;
}

function lookingTries({ addresses, users, rollout }: WelcomeFacts): Try[] {
  const { admin, traffic } = addresses;
  const visits = [...users].map(([version, user]): Try => [
    `curl -i -H 'x-user-id: ${user}' ${traffic}/`,
    `${user} gets ${version} now`,
  ]);
  return [
    [`npx graygate status${urlOption(admin)}`, 'where it stands and why; with --watch all the time'],
    ...visits,
    [`curl -s -o /dev/null -D - -H 'x-user-id: tester-1' ${traffic}/`, 'a rule: testers get the new version'],
    [`npx graygate explain --url ${admin} --user u-1`, 'why u-1 gets that version, step by step'],
    [
      `curl -s -H 'x-user-id: u-1' -X POST -H 'content-type: application/json' -d '{"product":"jasmine"}' ${traffic}/api/cart`,
      'fill a cart',
    ],
    [`curl -s ${admin}/metrics | grep graygate_requests_total`, 'what Prometheus scrapes'],
    [`curl -s ${admin}/api/v1/rollouts/${rollout}`, 'what status shows, for programs'],
  ];
}

/** They can be done one after the other. */
function actingTries({ addresses, rollout }: WelcomeFacts): Try[] {
  const { admin, newShop } = addresses;
  const act = (action: string, reason: string): string =>
    `npx graygate ${action} ${rollout} --reason '${reason}'${urlOption(admin)}`;
  const behave = (body: string): string =>
    `curl -s -X POST -H 'content-type: application/json' -d '${body}' ${newShop}/demo/behaviour`;
  return [
    [act('pause', 'lunch'), 'let it go no further'],
    [act('resume', 'lunch is over'), 'and on again'],
    [act('rollback', 'just trying'), 'everyone back on the old version'],
    [act('retry', 'it looked good'), 'the same release again, from its first stage'],
    [behave('{"errors":50}'), 'break the new shop, and see it rolled back: half of its answers fail'],
    [behave('{}'), 'mend it, and retry'],
  ];
}

function urlOption(admin: string): string {
  return admin === usualAdmin ? '' : ` --url ${admin}`;
}
