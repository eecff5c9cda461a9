// The plugin by itself, as its README shows it: what graygate would cost if it forwarded with @fastify/http-proxy's own path.
import proxy from '@fastify/http-proxy';
import fastify from 'fastify';

const [port, upstream] = process.argv.slice(2);
if (port === undefined || upstream === undefined) throw new Error('expected a port and the upstream, http://host:port');
const app = fastify({ logger: false });
await app.register(proxy, { upstream });
await app.listen({ host: '127.0.0.1', port: Number(port) });
