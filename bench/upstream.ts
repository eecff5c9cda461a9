// The server behind every proxy: nginx where it is installed, because it must not be the bottleneck; Node.js otherwise. One
// process on two ports, one a version.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { findProgram } from '../test/support/requirements.ts';
import { startServer } from './children.ts';

const bodies = { '/1k': 'x'.repeat(1024), '/100k': 'x'.repeat(102_400) };

/** Starts it. Returns what it is. */
export async function startUpstream(folder: string, ports: readonly [number, number]): Promise<'nginx' | 'node'> {
  const nginx = findProgram('nginx');
  const place = join(folder, 'upstream');
  mkdirSync(place);
  if (nginx === null) {
    const args = ['bench/upstream.ts', ...ports.map(String)];
    await startServer({ name: 'upstream', command: process.execPath, args, port: ports[1] });
    return 'node';
  }
  for (const [path, body] of Object.entries(bodies)) writeFileSync(join(place, path), body);
  writeFileSync(join(place, 'nginx.conf'), nginxConfig(ports));
  const args = ['-p', place, '-c', join(place, 'nginx.conf')];
  await startServer({ name: 'upstream', command: nginx, args, port: ports[1] });
  return 'nginx';
}

function nginxConfig(ports: readonly number[]): string {
  return `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr error;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  sendfile on;
  open_file_cache max=10;
  keepalive_requests 1000000000;
  default_type text/plain;
  server {
    ${ports.map((port) => `listen 127.0.0.1:${port};`).join(' ')}
    location = /1k { return 200 "${bodies['/1k']}"; }
    location / { root .; }
  }
}
`;
}

function serve(port: number): void {
  const answers = new Map(Object.entries(bodies).map(([path, body]) => [path, Buffer.from(body)]));
  const server = createServer((request, response) => {
    const body = answers.get(request.url ?? '');
    request.resume();
    response.writeHead(body === undefined ? 404 : 200, { 'content-length': body?.length ?? 0 });
    response.end(body);
  });
  server.listen(port, '127.0.0.1');
}

if (import.meta.main) for (const port of process.argv.slice(2)) serve(Number(port));
