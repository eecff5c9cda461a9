// The flags of the platform that a worker's process begins with.

/** Of each half of the young generation, in MiB. */
const youngHalfMebibytes = 16;

/**
 * The flags of the control process, and a bound on the young generation, unless these or `NODE_OPTIONS` set one. A burst of new connections has it grow
 * to 128 MiB in each worker; within 32 a request costs what it did.
 */
export function workerFlags(ownFlags: readonly string[], nodeOptions = ''): string[] {
  const isBounded = [...ownFlags, nodeOptions].some((text) => /--max[-_]semi[-_]space[-_]size\b/.test(text));
  return isBounded ? [...ownFlags] : [`--max-semi-space-size=${youngHalfMebibytes}`, ...ownFlags];
}
