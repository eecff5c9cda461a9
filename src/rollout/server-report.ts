// What is said upwards about a server: plain records, each time something changes. Pure.

/**
 * `up`: takes requests. `slow`: takes them, with a part of its share. `down`: fails its health checks. `ejected`: failed too many requests in
 * a row. `gone`: used no more. Of a name, with `address` null: `unresolved`: no address was ever found; `stale`: the last look-up
 * failed and the addresses are those from before; `resolved`: all is well.
 */
export type ServerState = 'up' | 'slow' | 'down' | 'ejected' | 'gone' | 'unresolved' | 'stale' | 'resolved';

/** How a server can stand, after all that was said of it. */
export type StandingState = Exclude<ServerState, 'gone' | 'stale' | 'resolved'>;

/** Of one server of one version. `server` is the origin as the policy has it; `address` the IP address that its name led to. */
export type ServerReport = {
  readonly rollout: string;
  readonly version: string;
  readonly server: string;
  readonly address: string | null;
  readonly state: ServerState;
  /** Why, for the log; null where the state says it all. */
  readonly reason: string | null;
};

/** Whether a server in this state is asked. */
export function isUp(state: ServerState): boolean {
  return state === 'up' || state === 'slow';
}
