// Where verbs look for the gateway, what they say when none is there, and how they send what must be done once.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { shownRollout } from './shown-rollouts.ts';
import { runVerb } from './terminal.ts';

const pause = ['pause', 'shop', '--reason', 'lunch'];

const wrongUsage: [args: string[], said: RegExp][] = [
  [['pause', 'shop'], /required option '--reason <text>' not specified/],
  [['pause', '--reason', 'x'], /missing required argument 'rollout'/],
  [['pause', 'shop', '--reason', '  '], /expected --reason as one line of 1 to 500 characters/],
  [['pause', 'shop', '--reason', 'a\nb'], /expected --reason as one line/],
  [['pause', '../shop', '--reason', 'x'], /expected the name of a rollout/],
  [[...pause, '--revision', 'seven'], /expected a whole number/],
  [[...pause, '--key', 'ö'], /expected --key as 1 to 255 printable ASCII characters/],
  [[...pause, '--url', '127.0.0.1:9090'], /expected the URL of a gateway such as http:\/\/127\.0\.0\.1:9090, got/],
  [[...pause, '--url', 'ftp://127.0.0.1'], /expected the URL of a gateway/],
  [[...pause, '--url', 'http://me:pw@127.0.0.1'], /expected the URL of a gateway/],
  [[...pause, '--token', 'two words'], /expected a token of visible ASCII characters/],
  [['status', 'Shop'], /expected the name of a rollout/],
  [['status', '--timeout', '3s'], /expected --release and --timeout together with --wait/],
  [['status', '--wait', '--timeout', '3'], /is not a duration/],
];

for (const [args, said] of wrongUsage) {
  test(`wrong usage is said on stderr and is exit code 2: ${JSON.stringify(args)}`, async () => {
    const { code, stdout, stderr } = await runVerb(args);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, said);
  });
}

for (const verb of ['status', 'promote', 'rollback', 'pause', 'resume', 'advance', 'step-back', 'approve', 'retry']) {
  test(`${verb} --help shows where it looks and an example that names it`, async () => {
    const { code, stdout, stderr } = await runVerb([verb, '--help']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /--url <url>[^]*GRAYGATE_URL[^]*--token <token>[^]*GRAYGATE_TOKEN/);
    assert.match(stdout, new RegExp(`Examples?:\\n  graygate ${verb}\\b`));
  });
}

test('without an answer it is exit code 3, and nothing is sent again', async (t) => {
  const gateway = await fakeGateway(t, () => undefined);
  gateway.close();
  for (const args of [['status'], ['status', '--wait'], ['status', '--watch'], pause]) {
    const { code, stdout, stderr } = await runVerb([...args, '--url', gateway.url]);
    assert.deepEqual([code, stdout], [3, '']);
    const hint = 'if it runs elsewhere, name its admin port with --url or GRAYGATE_URL';
    assert.equal(stderr, `graygate: cannot reach the gateway at ${gateway.url}: ECONNREFUSED; ${hint}\n`);
  }
});

test('what answers but is no graygate is exit code 3', async (t) => {
  const answers: [status: number, body: string, said: RegExp][] = [
    [200, '<html>', /is no graygate of this version/],
    [200, '{"rollouts":[{"name":"shop"}]}', /is no graygate of this version/],
    [302, '', /is no graygate that works: status 302/],
    [500, JSON.stringify(problem('internal', 500)), /is no graygate that works: status 500 \(it failed\)/],
    [404, 'Not Found', /is no graygate that works: status 404/],
  ];
  for (const [status, body, said] of answers) {
    const gateway = await fakeGateway(t, (_, response) => response.writeHead(status).end(body));
    const { code, stderr } = await runVerb(['status', '--url', gateway.url]);
    assert.equal(code, 3);
    assert.match(stderr, said);
  }
});

test('what the gateway refuses is exit code 1 with its reason, and with --json the problem', async (t) => {
  const gateway = await fakeGateway(t, (_, response) => {
    response.writeHead(409).end(JSON.stringify({ ...problem('phase-conflict', 409), detail: 'cannot pause: no' }));
  });
  const told = await runVerb([...pause, '--url', gateway.url]);
  assert.deepEqual(told, { code: 1, stdout: '', stderr: 'graygate: cannot pause: no\n' });
  const json = await runVerb([...pause, '--json', '--url', gateway.url]);
  assert.deepEqual([json.code, json.stderr], [1, '']);
  assert.equal(JSON.parse(json.stdout).code, 'phase-conflict');
});

test('a missing token is said together with how to give one', async (t) => {
  const gateway = await fakeGateway(t, (_, response) => {
    response.writeHead(401).end(JSON.stringify(problem('token-required', 401)));
  });
  const { code, stderr } = await runVerb(['status', '--url', gateway.url]);
  assert.equal(code, 1);
  assert.match(stderr, /give one with GRAYGATE_TOKEN or --token/);
});

test('the address and the token come from the options, else from the environment; a path in front is kept', async (t) => {
  const gateway = await fakeGateway(t, (_, response) => response.end(JSON.stringify({ rollouts: [shownRollout()] })));
  const env = { GRAYGATE_URL: `${gateway.url}/gray/`, GRAYGATE_TOKEN: 'from-the-environment' };
  assert.equal((await runVerb(['status'], { env })).code, 0);
  assert.equal((await runVerb(['status', '--url', gateway.url, '--token', 'given'], { env })).code, 0);
  assert.equal((await runVerb(['status', '--url', gateway.url])).code, 0);
  assert.deepEqual(
    gateway.asked.map(({ url, headers }) => [url, headers.authorization]),
    [
      ['/gray/api/v1/rollouts', 'Bearer from-the-environment'],
      ['/api/v1/rollouts', 'Bearer given'],
      ['/api/v1/rollouts', undefined],
    ],
  );
});

test('an action whose answer is lost is sent again under the same key', async (t) => {
  const gateway = await fakeGateway(t, (request, response) => {
    if (gateway.asked.length === 1) request.socket.destroy();
    else response.end(JSON.stringify(shownRollout()));
  });
  const { code, stdout } = await runVerb([...pause, '--revision', '7', '--url', gateway.url]);
  assert.equal(code, 0);
  assert.equal(stdout, 'shop: canary goes from 5 % to 20 % (stage some): held 10 s (progressing, 20 %, revision 7)\n');
  const [first, second, ...others] = gateway.asked;
  assert.deepEqual(others, []);
  assert.match(first!.headers['idempotency-key'] ?? '', /^[\da-f-]{36}$/);
  assert.equal(second!.headers['idempotency-key'], first!.headers['idempotency-key']);
  assert.equal(second!.headers['if-match'], '"7"');
  assert.deepEqual([second!.method, second!.url], ['POST', '/api/v1/rollouts/shop/pause']);
});

test('where the answer stays lost it says that nobody knows, and with which key to send it again', async (t) => {
  const gateway = await fakeGateway(t, (request) => request.socket.destroy());
  const { code, stderr } = await runVerb([...pause, '--key', "it's me", '--url', gateway.url]);
  assert.equal(code, 3);
  assert.match(
    stderr,
    /whether pause was done is not known; look with status, or send it again with --key 'it'\\''s me'/,
  );
  assert.deepEqual(new Set(gateway.asked.map(({ headers }) => headers['idempotency-key'])), new Set(["it's me"]));
  assert.ok(gateway.asked.length > 2);
});

type Asked = Pick<IncomingMessage, 'method' | 'url'> & { readonly headers: Record<string, string | undefined> };

/** A server where the gateway should be, and what it was asked. */
async function fakeGateway(t: TestContext, answer: RequestListener) {
  const asked: Asked[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const { method, url, headers } = request;
    asked.push({ method, url, headers: headers as Record<string, string | undefined> });
    answer(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  t.after(close);
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { url: `http://127.0.0.1:${address.port}`, asked, close };
}

function problem(code: string, status: number) {
  return { type: `urn:graygate:error:${code}`, title: 'it failed', status, code, requestId: 'r-1' };
}
