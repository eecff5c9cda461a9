// The rooms around the admin port, made up: a rollout that the real machine moves, a store in memory that can be out of order.
import type { AdminParts, KeptAnswer, PolicyProblem } from '../../src/admin/admin-parts.ts';
import type { LinkReading } from '../../src/admin/link-parts.ts';
import { GraygateError } from '../../src/errors.ts';
import type { AuditEntry } from '../../src/rollout/audit-entry.ts';
import { emptyFigures, type Figures } from '../../src/rollout/figures.ts';
import type { BusinessEvent, EventRule, Experiment, ExperimentFigures } from '../../src/rollout/experiment.ts';
import { transition } from '../../src/rollout/machine.ts';
import { compileRollouts } from '../../src/rollout/matching.ts';
import type { Measurement } from '../../src/rollout/measurement.ts';
import type { AdminToken } from '../../src/rollout/entrance.ts';
import type { Rollout } from '../../src/rollout/policy.ts';
import type { RolloutState } from '../../src/rollout/rollout-state.ts';
import { splitOf } from '../../src/rollout/rollout-state.ts';
import { layOutSplit } from '../../src/rollout/split.ts';
import type { Changed, Transition } from '../../src/rollout/transition.ts';
import { observe } from '../../src/stats/log-histogram.ts';
import { rolloutOf } from '../support/policies.ts';
import { measuredAt, stageOf, stagingOf } from '../support/rollout-machine.ts';

/** Everything that a test may turn. */
export class FakeRooms {
  rollout: Rollout = rolloutOf({
    versions: { stable: { servers: ['http://10.0.0.1:3000'] }, canary: { servers: ['http://10.0.0.2:3000'] } },
    events: [
      eventOf('view'),
      eventOf('visit', 2),
      eventOf('purchase'),
      { ...eventOf('order'), value: { kind: 'header', name: 'x-amount' } },
    ],
    staging: stagingOf({ stages: [stageOf(1), stageOf(5, { approve: 'manual' }), stageOf(25), stageOf(100)] }),
  });
  state: RolloutState | null = null;
  measured: Measurement | null = measuredAt(Date.now());
  isKnown = true;
  isStoreWell = true;
  tokens: readonly AdminToken[] = [];
  origins: readonly string[] = [];
  readonly guessers: string[] = [];
  readonly acted: string[] = [];
  readonly ingested: BusinessEvent[] = [];
  readonly forgotten: string[] = [];
  isOverloaded = false;
  experiment: Experiment | null = null;
  figures: ExperimentFigures | null = null;
  readonly entries: AuditEntry[] = [];
  readonly failures: unknown[] = [];
  readonly responses = new Map<string, KeptAnswer>();
  readonly used = new Set<string>();
  readonly links = new Map<string, LinkReading>();
  lastRejected: { readonly atMs: number; readonly problems: readonly PolicyProblem[] } | null = null;
  document: unknown = { version: 1, admin: { tokens: [{ name: 'ops', role: 'operator', token: '***' }] } };
  readiness = { ready: true, reasons: [] as string[], degraded: [] as string[] };
  /** Resolves before an action is done, so that a test can hold it back. */
  beforeAct: () => Promise<void> = async () => undefined;
  readonly #listeners = new Set<(rollout: string, entry: AuditEntry) => void>();

  constructor() {
    this.take(transition(this.rollout.staging, null, { kind: 'started', nowMs: Date.now() }));
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  /** Puts a transition into force, as the controller would. */
  take(result: Transition): void {
    const { state, effects } = result as Changed;
    this.state = state;
    for (const step of effects.steps) {
      if (step.do === 'save') this.entries.push(...step.entries);
      if (step.do === 'announce') for (const listener of this.#listeners) listener('shop', step.entry);
    }
  }

  readonly parts: AdminParts = {
    version: '1.2.3',
    rollouts: {
      views: () => (this.isKnown ? [this.#view()] : null),
      act: async (rollout, request) => {
        await this.beforeAct();
        if (rollout !== 'shop') return null;
        const event = { kind: 'action' as const, measured: this.measured, ...request };
        const result = transition(this.rollout.staging, this.state, event);
        if (!result.ok) return { ok: false, code: result.code, reason: result.reason };
        if (!this.isStoreWell && result.effects.order === 'save-first') {
          return { ok: false, code: 'store', reason: 'the store could not save it, so nothing was changed' };
        }
        this.acted.push(`${request.action} by ${request.by}: ${request.reason}`);
        this.take(result);
        return { ok: true, state: this.state! };
      },
    },
    mirror: {
      recent: (rollout) => [
        {
          rollout,
          version: 'canary',
          requestId: 'r-1',
          atMs: 5,
          method: 'GET',
          target: '/item',
          differences: [{ kind: 'json', place: '$.price', user: '1', copy: null }],
        },
      ],
    },
    experiments: {
      ingest: async (events) => {
        this.#needStore();
        if (this.isOverloaded) throw new GraygateError('events-overload');
        return events.map(({ id }) => {
          if (id === 'refused') return { id, status: 'rejected', reason: 'nobody wants it' };
          const status = this.ingested.some((event) => event.id === id) ? 'duplicate' : 'accepted';
          if (status === 'accepted') this.ingested.push(events.find((event) => event.id === id)!);
          return { id, status };
        });
      },
      forget: async (user, rollout) => {
        this.#needStore();
        this.forgotten.push(rollout === undefined ? user : `${user} in ${rollout}`);
        if (user === 'u-unknown') return 0;
        return rollout === undefined ? 2 : 1;
      },
      figures: async (rollout, release) => {
        this.#needStore();
        const isAsked = release === undefined || release === this.figures?.release;
        return rollout === this.figures?.rollout && isAsked ? this.figures : null;
      },
    },
    servers: { addresses: (_rollout, version) => (version === 'canary' ? [{ address: null, state: 'down' }] : []) },
    history: {
      entries: async ({ sinceMs, limit, beforeId = Infinity }) => {
        this.#needStore();
        const all = this.entries.map((entry, i) => ({ id: i + 1, entry: { value: entry } }));
        return all.filter(({ id, entry }) => entry.value.atMs >= sinceMs && id < beforeId).slice(-limit);
      },
      points: async ({ resolution }) => {
        this.#needStore();
        const sums = { requests: 120, failures: 3, users: 7, latencies: { 100: 60, 200: 60 } };
        const lasts = { percent: 1, 'harm:error-rate': 0.5 };
        return [{ version: 'canary', startMs: 1_000, resolution, sums, lasts }];
      },
    },
    decider: {
      table: () => compileRollouts({ rollouts: [this.rollout] }),
      splitOf: ({ versions }) => layOutSplit(versions, { canary: 10 }),
    },
    policy: {
      current: () => ({ loadedMs: 5, fingerprint: 'f1', document: this.document }),
      lastRejected: () => this.lastRejected,
    },
    changes: {
      subscribe: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    },
    responses: {
      find: async ({ key }) => {
        this.#needStore();
        return this.responses.get(key) ?? null;
      },
      remember: async ({ key, response }) => {
        this.#needStore();
        const kept = this.responses.get(key) ?? response;
        this.responses.set(key, kept);
        return kept;
      },
    },
    links: { read: (token) => this.links.get(token) ?? { ok: false, reason: 'forged' } },
    usedLinks: {
      consume: async ({ id }) => {
        this.#needStore();
        if (this.used.has(id)) return false;
        this.used.add(id);
        return true;
      },
    },
    access: {
      tokens: () => this.tokens,
      origins: () => this.origins,
      guessed: (address) => void this.guessers.push(address),
    },
    health: { readiness: () => this.readiness },
    metrics: { render: async (accept) => ({ contentType: 'text/plain; version=0.0.4', text: `up 1 # ${accept}\n` }) },
    failed: (error) => void this.failures.push(error),
  };

  #view() {
    const { state, measured, experiment } = this;
    const rollout = { ...this.rollout, experiment };
    const split = layOutSplit(rollout.versions, splitOf(state, rollout.staging));
    return {
      rollout,
      state,
      split,
      holds: 'held 1 s of 10 min',
      measured,
      recent: { sinceMs: Date.now() - 10_000, figures: [emptyFigures(), busyFigures()] },
      stage: {
        split: [
          { requests: 0, failures: 0 },
          { requests: 90, failures: 5 },
        ],
        rules: [
          { requests: 0, failures: 0 },
          { requests: 10, failures: 0 },
        ],
        latencies: [emptyFigures().latencies, busyFigures().latencies],
      },
    };
  }

  #needStore(): void {
    if (!this.isStoreWell) throw new GraygateError('store-unavailable', 'the disk is full');
  }
}

/** A hundred requests, 4 failed, of 1 to 100 ms. */
function busyFigures(): Figures {
  const figures = { ...emptyFigures(), splitCount: 100, splitFailureCount: 4 };
  for (let ms = 1; ms <= 100; ms += 1) observe(figures.latencies, ms);
  return figures;
}

export const viewerToken = 'viewer-token-0123456789';
export const operatorToken = 'operator-token-ключ-0123456789';
export const ingestToken = 'ingest-token-0123456789';

export const threeTokens: readonly AdminToken[] = [
  { name: 'screen', role: 'viewer', token: viewerToken },
  { name: 'ops', role: 'operator', token: operatorToken },
  { name: 'shop', role: 'ingest', token: ingestToken },
];

/** A token as a header carries it: bytes. */
export function bearer(token: string): string {
  return `Bearer ${Buffer.from(token, 'utf8').toString('latin1')}`;
}

function eventOf(name: string, value = 0): EventRule {
  return {
    name,
    fromTraffic: false,
    methods: [],
    paths: [],
    statuses: [],
    headers: [],
    value: { kind: 'constant', value },
  };
}
