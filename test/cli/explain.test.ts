// What `explain` answers, compared with what a running gateway does with the same request.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as startRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { SignJWT } from 'jose';
import { pino } from 'pino';
import { type RunningGateway, startGateway } from '../../src/app.ts';
import { run } from '../support/run.ts';
import { runHere, runToEnd } from './run-here.ts';

type Answer = {
  readonly code: number;
  readonly userIn: string | null;
  readonly decision: {
    rollout: string;
    version: string;
    reason: string;
    rule: string | null;
    bucket: number | null;
  } | null;
};

const secret = 'a secret of at least thirty-two bytes';

suite('explain', () => {
  const folder = mkdtempSync(join(tmpdir(), 'graygate-explain-'));
  const file = join(folder, 'policy.yaml');
  const server = createServer((request, response) => {
    response.setHeader('x-echo-rollout', request.headers['x-graygate-rollout'] ?? '').end();
  });
  let gateway: RunningGateway;

  before(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    writeFileSync(file, policyFor(`http://127.0.0.1:${address.port}`));
    gateway = await startGateway({ configFile: file, env: {}, logger: pino({ level: 'silent' }) });
  });

  after(async () => {
    await gateway.close();
    server.close();
    rmSync(folder, { recursive: true });
  });

  const explain = async (...args: string[]): Promise<Answer> => {
    const { code, stdout } = await runHere(['explain', '--config', file, '--json', ...args]);
    const { userIn, decision }: Answer = JSON.parse(stdout);
    return { code, userIn, decision };
  };

  const rows: [what: string, args: string[], path: string, headers: Record<string, string>][] = [
    ['a header', ['--user', 'u-7'], '/', { 'x-user-id': 'u-7' }],
    ['a Chinese ID in a header', ['--user', '李雷'], '/', { 'x-user-id': bytes('李雷') }],
    [
      'a Chinese ID in a cookie',
      ['--user', '李雷', '--path', '/cookie'],
      '/cookie',
      { cookie: `uid=${encodeURIComponent('李雷')}` },
    ],
    ['a Chinese ID in a query', ['--user', '李雷', '--path', '/query'], `/query?uid=${encodeURIComponent('李雷')}`, {}],
    [
      'an ID with blanks and signs in a query',
      ['--user', 'a b+c&d=e%', '--path', '/query?x=1'],
      `/query?uid=a%20b%2Bc%26d%3De%25&x=1`,
      {},
    ],
    [
      'a rule by header',
      ['--header', 'x-city=深圳', '--user', 'u-7'],
      '/',
      { 'x-city': bytes('深圳'), 'x-user-id': 'u-7' },
    ],
    [
      'a rule by cookie',
      ['--cookie', 'plan=gold; x', '--user', 'u-7'],
      '/',
      { cookie: 'plan=gold%3B%20x', 'x-user-id': 'u-7' },
    ],
    ['a rule by path in Chinese', ['--path', '/茶/1', '--user', 'u-7'], encodeURI('/茶/1'), { 'x-user-id': 'u-7' }],
    ['a rule by method', ['--method', 'DELETE', '--user', 'u-7'], '/', { 'x-user-id': 'u-7', method: 'DELETE' }],
    [
      'another host',
      ['--host', 'API.example.com:8443', '--user', 'u-7'],
      '/',
      { host: 'API.example.com:8443', 'x-user-id': 'u-7' },
    ],
    ['the address', ['--path', '/ip'], '/ip', {}],
    ['nobody, who gets the baseline', [], '/', {}],
  ];

  for (const [what, args, path, { method = 'GET', ...headers }] of rows) {
    test(`agrees with the gateway for ${what}`, async () => {
      const { decision } = await explain(...args);
      const got = await ask(`${gateway.trafficUrl}${path}`, method, headers);
      assert.deepEqual([decision?.rollout, decision?.version], got);
    });

    test(`is told the same by the gateway itself for ${what}`, async () => {
      const asked = await runToEnd(['explain', '--url', gateway.adminUrl, '--json', ...args]);
      const own = await runToEnd(['explain', '--config', file, '--json', ...args]);
      assert.deepEqual(JSON.parse(asked.stdout), JSON.parse(own.stdout));
      assert.deepEqual([asked.code, asked.stderr], [0, '']);
    });
  }

  test('puts the same user into one bucket, whatever kind the first source of the chain is, and says which it is', async () => {
    const answers = [];
    for (const path of ['/', '/cookie', '/query', '/token'])
      answers.push(await explain('--user', '李雷', '--path', path));
    assert.deepEqual(
      answers.map(({ userIn }) => userIn),
      ['header:x-user-id', 'cookie:uid', 'query:uid', 'jwt:sub'],
    );
    assert.deepEqual(new Set(answers.map(({ decision }) => decision?.bucket)).size, 1);
    assert.deepEqual(
      answers.map(({ decision }) => decision?.reason),
      ['split', 'split', 'split', 'split'],
    );
  });

  test('takes a user who is an address as the address of the connection', async () => {
    const { userIn, decision } = await explain('--user', '10.8.0.1', '--path', '/ip');
    assert.deepEqual([userIn, decision?.rule], ['ip', 'office']);
  });

  test('believes a token that is genuine and no other', async () => {
    const token = await new SignJWT({ sub: 'vip' }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(secret));
    const genuine = await explain('--path', '/token', '--header', `authorization=Bearer ${token}`);
    assert.deepEqual([genuine.decision?.reason, genuine.decision?.rule], ['rule', 'vip']);
    const forged = await explain('--path', '/token', '--header', `authorization=Bearer ${token.slice(0, -4)}AAAA`);
    assert.equal(forged.decision?.reason, 'anonymous');
  });

  test('asks the rollout that was named, also where it does not take the request', async () => {
    const { decision } = await explain('--rollout', 'api', '--user', 'u-7');
    assert.equal(decision?.rollout, 'api');
  });

  test('exits 1 and names the host when no rollout takes the request', async () => {
    const { code, decision } = await explain('--host', 'elsewhere.example.com');
    assert.deepEqual([code, decision], [1, null]);
    const { stdout } = await runHere(['explain', '-c', file, '--host', 'elsewhere.example.com']);
    assert.match(stdout, /^no rollout takes this request: 404\n\nmatch +host elsewhere\.example\.com, path \//);
  });

  test('tells a person the answer first, then each step, also when it is typed in Chinese into a real process', async () => {
    const { code, stdout, stderr } = await run(process.execPath, [
      'bin/graygate.js',
      'explain',
      '-c',
      file,
      '-u',
      '李雷',
    ]);
    assert.deepEqual([code, stderr], [0, '']);
    const { decision } = await explain('--user', '李雷');
    const [answer, , ...steps] = stdout.split('\n');
    assert.equal(answer, `shop → ${decision?.version}   (reason: split, bucket: ${decision?.bucket}, user: 李雷)`);
    assert.match(
      steps.join('\n'),
      /^match [\s\S]+^user [\s\S]+^rules [\s\S]+^bucket +murmur3\("tea:李雷"\) = \d+; \d+ mod 10000 = /m,
    );
  });
});

function policyFor(server: string): string {
  const versions = `{ stable: { servers: ["${server}"] }, canary: { servers: ["${server}"] } }`;
  const rollout = (name: string, match: string, from: string, more = '') =>
    `  - { name: ${name}, match: ${match}, user: { from: [${from}], anonymous: baseline${more} }, salt: tea, versions: ${versions}, split: { canary: 50 }`;
  return `version: 1
listen: 127.0.0.1:0
admin: { listen: "127.0.0.1:0" }
rollouts:
${rollout('api', '{ host: api.example.com }', 'header:x-user-id')} }
${rollout('by-cookie', '{ host: [localhost, 127.0.0.1], path: /cookie }', 'cookie:uid')} }
${rollout('by-query', '{ host: [localhost, 127.0.0.1], path: /query }', 'query:uid')} }
${rollout('by-token', '{ host: [localhost, 127.0.0.1], path: /token }', 'jwt:sub', `, jwt: { secret: "${secret}" }`)}, rules: [{ name: vip, when: { user: vip }, use: canary }] }
${rollout('by-address', '{ host: [localhost, 127.0.0.1], path: /ip }', 'ip')}, rules: [{ name: office, when: { ip: 10.8.0.0/16 }, use: canary }] }
${rollout('shop', '{ host: [localhost, 127.0.0.1] }', 'header:x-user-id')}
    , rules: [
      { name: city, when: { header: { x-city: 深圳 } }, use: canary },
      { name: plan, when: { cookie: { plan: gold; x } }, use: canary },
      { name: tea, when: { path: /茶 }, use: canary },
      { name: deletion, when: { method: DELETE }, use: canary } ] }
`;
}

/** Rollout and version that answered. */
async function ask(url: string, method: string, headers: Record<string, string>): Promise<string[]> {
  const request = startRequest(url, { method, headers }).end();
  const [response] = await once(request, 'response');
  response.resume();
  return [response.headers['x-echo-rollout'], response.headers['x-graygate-version']];
}

function bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
