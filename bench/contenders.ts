// The proxies that are compared, each with one worker, the same two versions behind it, and its usual way to split by user.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, type Program } from '../test/support/requirements.ts';

export type Place = {
  /** Where the proxy has to listen on 127.0.0.1. */
  readonly port: number;
  /** A second free port, for a proxy that has an admin side. */
  readonly adminPort: number;
  /** Addresses of the two versions, `127.0.0.1:port`. */
  readonly stable: string;
  readonly canary: string;
  /** Where configuration may be written. */
  readonly folder: string;
};

export type ContenderCommand = { command: string; args: string[]; env?: NodeJS.ProcessEnv };

export type Contender = {
  readonly name: string;
  /** The program that has to be installed; null: it is here anyway. */
  readonly program: Program | null;
  command(place: Place): ContenderCommand;
};

/** As the image starts graygate; without it the figures of memory say how far a burst happened to drive the young generation. */
const nodeFlags = ['--max-semi-space-size=16'];

/** In the order in which each round asks them. */
export const contenders: readonly Contender[] = [
  {
    name: 'graygate',
    program: null,
    command: (place) => graygateCommand(place, 'bench/graygate.yaml'),
  },
  {
    name: 'nginx',
    program: 'nginx',
    command: (place) => {
      const config = writeConfig(place, 'nginx.conf', nginxConfig(place));
      return { command: findProgram('nginx') ?? 'nginx', args: ['-p', place.folder, '-c', config] };
    },
  },
  {
    name: 'haproxy',
    program: 'haproxy',
    command: (place) => {
      const config = writeConfig(place, 'haproxy.cfg', haproxyConfig(place));
      return { command: findProgram('haproxy') ?? 'haproxy', args: ['-db', '-q', '-f', config] };
    },
  },
  {
    name: 'caddy',
    program: 'caddy',
    command: (place) => {
      const config = writeConfig(place, 'Caddyfile', caddyConfig(place));
      const home = { GOMAXPROCS: '1', HOME: place.folder, XDG_DATA_HOME: place.folder, XDG_CONFIG_HOME: place.folder };
      const args = ['run', '--config', config, '--adapter', 'caddyfile'];
      return { command: findProgram('caddy') ?? 'caddy', args, env: home };
    },
  },
  {
    name: 'bare',
    program: null,
    command: ({ port, stable }) => ({
      command: process.execPath,
      args: [...nodeFlags, 'bench/bare-proxy.ts', `${port}`, `http://${stable}`],
    }),
  },
];

/** graygate with a policy that takes its addresses from the environment. */
export function graygateCommand({ port, adminPort, stable, canary }: Place, policy: string): ContenderCommand {
  return {
    command: process.execPath,
    args: [...nodeFlags, 'bin/graygate.js', 'serve', '--config', policy],
    env: {
      BENCH_LISTEN: `127.0.0.1:${port}`,
      BENCH_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
      BENCH_STABLE: `http://${stable}`,
      BENCH_CANARY: `http://${canary}`,
    },
  };
}

function writeConfig(place: Place, name: string, text: string): string {
  const path = join(place.folder, name);
  writeFileSync(path, text);
  return path;
}

function nginxConfig({ port, stable, canary }: Place): string {
  return `
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr error;
events { worker_connections 16384; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_requests 1000000000;
  split_clients "bench:$http_x_user_id" $version { 10% canary; * stable; }
  upstream stable { server ${stable}; keepalive 256; keepalive_requests 1000000000; }
  upstream canary { server ${canary}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://$version;
      proxy_http_version 1.1;
      proxy_max_temp_file_size 0;
      proxy_buffer_size 16k;
      proxy_buffers 16 16k;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Request-Id $request_id;
    }
  }
}
`;
}

function haproxyConfig({ port, stable, canary }: Place): string {
  return `
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 2s
  timeout client 75s
  timeout server 30s
  http-reuse always
  option forwardfor
frontend traffic
  bind 127.0.0.1:${port}
  unique-id-format %[uuid()]
  unique-id-header X-Request-Id
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  use_backend canary if { req.hdr(x-user-id),xxh32,mod(100) lt 10 }
  default_backend stable
backend stable
  server stable ${stable}
backend canary
  server canary ${canary}
`;
}

/** Caddy has no weighted choice by a header's hash: half of the users to each version. */
function caddyConfig({ port, stable, canary }: Place): string {
  return `
{
  admin off
  auto_https off
  log {
    level ERROR
  }
}
http://127.0.0.1:${port} {
  bind 127.0.0.1
  reverse_proxy ${stable} ${canary} {
    lb_policy header X-User-Id
    header_up X-Request-Id {http.request.uuid}
  }
}
`;
}
