import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpStatusOfGrpc, isGrpcFailure } from '../../src/rollout/grpc-status.ts';

/** As the gRPC project maps its statuses to HTTP (google.rpc.Code), which Envoy follows. */
const httpByStatus: Readonly<Record<number, number>> = {
  2: 500,
  4: 504,
  12: 501,
  13: 500,
  14: 503,
  15: 500,
};

for (let grpcStatus = 0; grpcStatus <= 17; grpcStatus += 1) {
  const expected = httpByStatus[grpcStatus] ?? 200;
  test(`the status ${grpcStatus} stands for ${expected}`, () => {
    assert.equal(httpStatusOfGrpc(grpcStatus), expected);
    assert.equal(isGrpcFailure(grpcStatus), expected >= 500);
  });
}

test('what is no gRPC is no failure of it', () => assert.equal(isGrpcFailure(null), false));
