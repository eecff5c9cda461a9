// A gRPC server and client without generated code: messages are bytes. Any method of the service can be called.
import {
  Client,
  credentials,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ChannelCredentials,
  Server,
  ServerCredentials,
  type ServerOptions,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import type { TestContext } from './gateways.ts';

const asIs = (bytes: Buffer): Buffer => bytes;

const method = (path: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${path}`,
  requestStream,
  responseStream,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

const service = {
  unary: method('Unary', false, false),
  upload: method('Upload', true, false),
  download: method('Download', false, true),
  chat: method('Chat', true, true),
} satisfies ServiceDefinition;

export type EchoService = {
  unary: handleUnaryCall<Buffer, Buffer>;
  upload: handleClientStreamingCall<Buffer, Buffer>;
  download: handleServerStreamingCall<Buffer, Buffer>;
  chat: handleBidiStreamingCall<Buffer, Buffer>;
};

/** What a server does unless a test says otherwise: it says its name and what it was told. */
export function echoing(name: string): EchoService {
  return {
    unary: (call, callback) => callback(null, Buffer.concat([Buffer.from(`${name}:`), call.request])),
    upload(call, callback) {
      let byteCount = 0;
      call.on('data', (message: Buffer) => (byteCount += message.length));
      call.on('end', () => callback(null, Buffer.from(`${name}:${byteCount}`)));
    },
    download(call) {
      const count = Number(call.request.toString());
      for (let i = 0; i < count; i += 1) call.write(Buffer.from(`${name}:${i}`));
      call.end();
    },
    chat(call) {
      call.on('data', (message: Buffer) => call.write(Buffer.concat([Buffer.from(`${name}:`), message])));
      call.on('end', () => call.end());
    },
  };
}

export type GrpcServer = { readonly origin: string; readonly server: Server };

/** Runs until the test ends. */
export async function startGrpcServer(
  context: TestContext,
  methods: EchoService,
  tls?: { readonly cert: string; readonly key: string },
  options: ServerOptions = {},
): Promise<GrpcServer> {
  const server = new Server({ 'grpc.max_receive_message_length': -1, ...options });
  server.addService(service, methods);
  const pair = tls === undefined ? [] : [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }];
  const proof = tls === undefined ? ServerCredentials.createInsecure() : ServerCredentials.createSsl(null, pair);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', proof, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  const port = await promise;
  context.after(() => server.forceShutdown());
  return { origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, server };
}

export class EchoClient extends Client {
  constructor(port: number, proof: ChannelCredentials = credentials.createInsecure()) {
    super(`127.0.0.1:${port}`, proof, { 'grpc.max_receive_message_length': -1, 'grpc.enable_retries': 0 });
  }

  /** `deadlineMs`: in milliseconds since 1970. */
  unary(message: string | Buffer, deadlineMs: number | null = null): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const options = deadlineMs === null ? {} : { deadline: deadlineMs };
    this.makeUnaryRequest(service.unary.path, asIs, asIs, Buffer.from(message), options, (error, value) =>
      error === null ? resolve(value!) : reject(error),
    );
    return promise;
  }

  upload() {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const call = this.makeClientStreamRequest(service.upload.path, asIs, asIs, (error, value) =>
      error === null ? resolve(value!) : reject(error),
    );
    return { call, answer: promise };
  }

  download(count: number | string) {
    return this.makeServerStreamRequest(service.download.path, asIs, asIs, Buffer.from(String(count)));
  }

  chat() {
    return this.makeBidiStreamRequest(service.chat.path, asIs, asIs);
  }
}
