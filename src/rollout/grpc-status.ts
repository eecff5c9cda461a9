// What the status of a gRPC answer says of the version that gave it. It comes in a trailer, behind an HTTP status that is always 200.

/** The statuses that graygate itself answers with, and those that it tells apart (gRPC core, `statuscodes.md`). */
export const grpcStatuses = {
  unknown: 2,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
} as const;

/** As gRPC maps them to HTTP, those that are 5xx there; the others are what clients ask for wrongly, or give up on. */
const httpStatusOf: ReadonlyMap<number, number> = new Map([
  [grpcStatuses.unknown, 500],
  [grpcStatuses.deadlineExceeded, 504],
  [grpcStatuses.unimplemented, 501],
  [grpcStatuses.internal, 500],
  [grpcStatuses.unavailable, 503],
  [grpcStatuses.dataLoss, 500],
]);

/** The HTTP status that a gRPC status stands for, as Envoy has it: a 5xx for failures of the server, 200 for everything else. */
export function httpStatusOfGrpc(grpcStatus: number): number {
  return httpStatusOf.get(grpcStatus) ?? 200;
}

/** Whether an answer with this status is a failure of the version; null: it was no gRPC. */
export function isGrpcFailure(grpcStatus: number | null): boolean {
  return grpcStatus !== null && httpStatusOf.has(grpcStatus);
}
