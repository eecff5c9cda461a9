import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { errorTable } from '../../src/errors.ts';
import { grpcStatusIn, isGrpc, renderGrpcProblem } from '../../src/gateway/grpc.ts';

suite('what is gRPC', () => {
  const rows: readonly [type: string | undefined, expected: boolean][] = [
    ['application/grpc', true],
    ['application/grpc+proto', true],
    ['Application/gRPC;charset=x', true],
    ['application/grpc-web', false],
    ['application/grpc-web+proto', false],
    ['application/json', false],
    ['', false],
    [undefined, false],
  ];
  for (const [type, expected] of rows) {
    test(`${type} is ${expected ? '' : 'not '}it`, () => assert.equal(isGrpc(type), expected));
  }
});

suite('the status among fields', () => {
  const rows: readonly [fields: readonly string[], expected: number | null][] = [
    [[], null],
    [['content-type', 'application/grpc'], null],
    [['grpc-status', '0'], 0],
    [['x-a', '1', 'Grpc-Status', '14'], 14],
    [['grpc-status', ''], 2],
    [['grpc-status', '-1'], 2],
    [['grpc-status', '99999'], 2],
  ];
  for (const [fields, expected] of rows) {
    test(JSON.stringify(fields), () => assert.equal(grpcStatusIn(fields), expected));
  }
});

suite('an answer of graygate', () => {
  test('has no body, and its status and message in the head', () => {
    const { status, headers, body, grpcStatus } = renderGrpcProblem({ code: 'no-server' });
    assert.deepEqual([status, body, grpcStatus], [200, '', 14]);
    const fields = ['Content-Type', 'application/grpc', 'Grpc-Status', '14'];
    assert.deepEqual(headers, [...fields, 'Grpc-Message', 'no server can take the request']);
  });

  test('encodes what a message must not hold', () => {
    const { headers } = renderGrpcProblem({ code: 'malformed-request', detail: '100% 错\n' });
    assert.equal(headers.at(-1), 'the request is malformed: 100%25 %E9%94%99%0A');
  });

  test('has a status that gRPC knows, for every code', () => {
    for (const code of Object.keys(errorTable) as (keyof typeof errorTable)[]) {
      const { grpcStatus } = renderGrpcProblem({ code });
      assert.ok([2, 4, 8, 12, 13, 14].includes(grpcStatus), `${code} is ${grpcStatus}`);
    }
  });

  const rows: readonly [code: keyof typeof errorTable, expected: number][] = [
    ['no-rollout', 12],
    ['method-not-supported', 12],
    ['malformed-request', 13],
    ['body-too-large', 8],
    ['upstream-connect', 14],
    ['upstream-reset', 14],
    ['upstream-protocol', 14],
    ['upstream-timeout', 4],
    ['internal', 2],
  ];
  for (const [code, expected] of rows) {
    test(`${code} is ${expected}`, () => assert.equal(renderGrpcProblem({ code }).grpcStatus, expected));
  }
});
