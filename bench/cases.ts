// The requests that are measured, and the users who send them.

export type Case = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly requestBytes: number;
  readonly responseBytes: number;
};

export const cases = {
  'get-1k': { method: 'GET', path: '/1k', requestBytes: 0, responseBytes: 1024 },
  'post-10k': { method: 'POST', path: '/1k', requestBytes: 10_240, responseBytes: 1024 },
  'get-100k': { method: 'GET', path: '/100k', requestBytes: 0, responseBytes: 102_400 },
} as const satisfies Record<string, Case>;

/** Different users, so that a proxy which splits by user has something to hash; they come round again. */
export const users: readonly string[] = Array.from({ length: 200 }, (_, index) => `user-${index}`);
