// A worker: the gateway with what it needs around it, driven by the control process. Reads no file and no environment.
import type { Socket } from 'node:net';
import { pino } from 'pino';
import { unpackPolicy } from '../config/policy-parcel.ts';
import { createGateway, type Gateway } from '../gateway/gateway.ts';
import type { Decision } from '../rollout/decide.ts';
import type { Policy, Rollout } from '../rollout/policy.ts';
import { createAccessLog } from '../telemetry/access-log.ts';
import { TallyBook } from '../telemetry/tally-book.ts';
import type { FromWorker, PolicyOrder, ToWorker, WorkerSettings } from './messages.ts';
import { sayingEars } from './plain-verbs.ts';
import { Reporter } from './reporter.ts';
import { SplitPlaces, type SplitPlace } from './split-places.ts';
import { TakenConnections } from './taken-connections.ts';
import { ReceivedLists } from './user-list-parts.ts';

/** The way to the control process. `taken` is called once the message is on its way, or never will be. */
export type SendUp = (message: FromWorker, taken?: () => void) => void;

/** How a rollout is called in reports, and where its split is. */
type Known = { readonly number: number; readonly place: SplitPlace };

export class Worker {
  readonly #settings: WorkerSettings;
  readonly #send: SendUp;
  readonly #book = new TallyBook();
  readonly #reporter: Reporter;
  readonly #places = new SplitPlaces();
  readonly #lists = new ReceivedLists();
  readonly #connections: TakenConnections;
  readonly #known = new WeakMap<Rollout, Known>();
  readonly #logger: pino.Logger;
  #policy: Policy | null = null;
  #gateway: Promise<Gateway> | null = null;
  #accessLog: ReturnType<typeof createAccessLog> = null;
  #ending: Promise<void> | null = null;

  constructor(settings: WorkerSettings, send: SendUp) {
    this.#settings = settings;
    this.#send = send;
    this.#reporter = new Reporter(this.#book, (report, taken) => send({ kind: 'report', report }, taken));
    this.#connections = new TakenConnections((counts) => send({ kind: 'connections', ...counts }));
    const destination = { write: (line: string) => this.#reporter.log(line) };
    this.#logger = pino({ level: settings.logLevel }, destination).child({ worker: settings.index });
    this.#reporter.start();
  }

  /** Does what the control process says; resolves when it is done. */
  async hear(message: ToWorker, socket: Socket | undefined): Promise<void> {
    switch (message.kind) {
      case 'users':
        return this.#lists.add(message.digest, message.lines);
      case 'policy':
        return this.#adopt(message.order);
      case 'split':
        return this.#places.take(message.news);
      case 'connection':
        return this.#take(socket);
      case 'ping':
        return this.#send({ kind: 'pong' });
      case 'hand-over':
        this.#reporter.handOver();
        return this.#send({ kind: 'handed-over' });
      default:
        return this.drain(message.drainMs);
    }
  }

  /** Lets requests under way end within the time of the policy, or this one; resolves when all that happened has been said. */
  drain(drainMs = this.#policy?.timeouts.drainMs ?? 0): Promise<void> {
    return (this.#ending ??= this.#drain(drainMs));
  }

  /** Something that nobody foresaw: says it while there is time. */
  async crash(error: unknown): Promise<void> {
    this.#logger.fatal({ err: error }, 'a worker failed');
    await this.#reporter.stop();
  }

  async #drain(drainMs: number): Promise<void> {
    const gateway = await this.#gateway;
    await gateway?.close(drainMs);
    await this.#reporter.stop();
  }

  async #adopt({ serial, parcel, lists, numbers, splits, ticketSecret }: PolicyOrder): Promise<void> {
    const digests = new Map(lists.map(({ name, digest }) => [name, digest]));
    const usersOf = (name: string) => this.#lists.get(digests.get(name) ?? name);
    const policy = unpackPolicy(parcel, { usersOf, shareCount: this.#settings.workerCount });
    for (const news of splits) this.#places.take(news);
    for (const [index, rollout] of policy.rollouts.entries()) {
      this.#known.set(rollout, { number: numbers[index]!, place: this.#places.of(rollout) });
    }
    this.#places.keepOnly(policy.rollouts);
    this.#lists.keepOnly(new Set(digests.values()));
    this.#book.follow(policy);
    this.#accessLog = createAccessLog(this.#logger, policy.logging.access);
    this.#policy = policy;
    if (this.#gateway === null) await (this.#gateway = this.#open(policy, ticketSecret));
    else (await this.#gateway).adopt(policy);
    this.#send({ kind: 'serves', serial });
  }

  async #open(policy: Policy, ticketSecret: Uint8Array): Promise<Gateway> {
    const gateway = await createGateway({
      ...sayingEars((saying) => this.#reporter.say(saying)),
      policy,
      ticketSecret,
      telemetry: this.#book,
      cellOf: (rollout) => this.#known.get(rollout)!.place.cell,
      decided: (decision) => this.#decided(decision),
      finished: (outcome) => {
        if (outcome.rollout === null) this.#book.unmatched.counted(outcome.status, outcome.method);
        else this.#reporter.observed(this.#known.get(outcome.rollout)!.number, outcome);
        this.#accessLog?.(outcome);
      },
      malformed: (status) => this.#book.unmatched.counted(status, ''),
      failed: (error) => this.#logger.error({ err: error }, 'a request failed inside graygate'),
    });
    await gateway.open();
    return gateway;
  }

  /** Only what the split decided says who was assigned. */
  #decided(decision: Decision): void {
    if (decision.user === null || decision.bucket === null || decision.rule !== null) return;
    const { number, place } = this.#known.get(decision.rollout)!;
    this.#reporter.assigned(number, place.serial, decision);
  }

  /** The handle is missing where the client has closed the connection meanwhile. */
  async #take(socket: Socket | undefined): Promise<void> {
    this.#connections.add(socket);
    if (socket !== undefined) (await this.#gateway!).take(socket);
  }
}
