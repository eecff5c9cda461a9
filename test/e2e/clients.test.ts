// The commands and programs of the README's section on clients, each run as it is written against a real gateway.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { certificateFile, tlsOf } from '../support/certificates.ts';
import { fencedBlocks } from '../support/documentation.ts';
import { type RunningGateway, startGateway, type TestContext } from '../support/gateways.ts';
import { echoing, startGrpcServer } from '../support/grpc-peers.ts';
import { shopPolicy } from '../support/policies.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { needs } from '../support/requirements.ts';
import { type Finished, run } from '../support/run.ts';
import { startEchoServer } from '../support/websockets.ts';

const readme = readFileSync('README.md', 'utf8');
const [, section = ''] = /^## Clients\n([^]*?)^## /m.exec(readme) ?? [];
const blocks = fencedBlocks(section);

/** The command that begins with these words, whole. */
function commandOf(words: string): string {
  const lines = blocks.flatMap(({ body }) => body.split('\n'));
  const command = lines.find((line) => line.startsWith(words));
  assert.ok(command !== undefined, `expected a command "${words}" in the README`);
  return command;
}

function programWith(text: string): string {
  const program = blocks.find(({ body }) => body.includes(text));
  assert.ok(program !== undefined, `expected a program with "${text}" in the README`);
  return program.body;
}

async function startShop(context: TestContext, tls = false): Promise<RunningGateway> {
  const upstream = await startRecordingUpstream(context, '<p>recorded</p>');
  return startGateway(context, shopPolicy({ stable: upstream.origin, ...(tls ? { tls: tlsOf() } : {}) }));
}

const atPort = (text: string, { port }: RunningGateway): string =>
  text.replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`);
const runCommand = (command: string, shop: RunningGateway): Promise<Finished> =>
  run('sh', ['-c', atPort(command, shop)]);

function runProgram(program: string, shop: RunningGateway): Promise<Finished> {
  return run(process.execPath, ['--input-type=module', '--eval', atPort(program, shop)]);
}

suite('curl', { skip: needs('curl') }, () => {
  test('in HTTP/1.1', async (t) => {
    const { stdout } = await runCommand(commandOf('curl -s -D - -o /dev/null -H'), await startShop(t));
    assert.match(stdout, /^HTTP\/1\.1 200 OK\r\n[^]*^x-graygate-version: stable\r$/m);
  });

  test('in HTTP/2, on the same port', async (t) => {
    const command = commandOf('curl -s -D - -o /dev/null --http2-prior-knowledge');
    const { stdout } = await runCommand(command, await startShop(t));
    assert.match(stdout, /^HTTP\/2 200 ?\r\n[^]*^x-graygate-version: stable\r$/m);
  });

  test('over TLS, which agrees on HTTP/2', async (t) => {
    const { port } = await startShop(t, true);
    const file = certificateFile('authority.pem');
    const args = ['-s', '-D', '-', '-o', '/dev/null', '--cacert', file, `https://127.0.0.1:${port}/`];
    const { stdout, stderr } = await run('curl', args);
    assert.match(stdout, /^HTTP\/2 200/, stderr);
  });
});

test('h2load gets every answer', { skip: needs('h2load') }, async (t) => {
  const command = commandOf('h2load ').replace('-n 10000', '-n 1000');
  const { stdout } = await runCommand(command, await startShop(t));
  assert.match(stdout, /1000 total, 1000 started, 1000 done, 1000 succeeded, 0 failed, 0 errored, 0 timeout/);
  assert.match(stdout, /status codes: 1000 2xx/);
});

test('a browser shows the page', { skip: needs('chromium') }, async (t) => {
  const { stdout, stderr } = await runCommand(commandOf('chromium '), await startShop(t));
  assert.match(stdout, /recorded/, stderr);
});

test('a WebSocket by ws', async (t) => {
  const server = await startEchoServer(t, 'stable');
  const shop = await startGateway(t, shopPolicy({ stable: server.origin }));
  assert.deepEqual(await runProgram(programWith("from 'ws'"), shop), { code: 0, stdout: 'stable:hello\n', stderr: '' });
});

test('a gRPC client', async (t) => {
  const server = await startGrpcServer(t, echoing('stable'));
  const shop = await startGateway(t, shopPolicy({ stable: { servers: [server.origin], http2: true } }));
  const finished = await runProgram(programWith("from '@grpc/grpc-js'"), shop);
  assert.deepEqual(finished, { code: 0, stdout: 'stable:hello\n', stderr: '' });
});
