// What a client's headers say of its way here and of its trace: taken down while they are gone through, judged afterwards.
import type { Treatment } from './header-treatment.ts';
import { isTraceparent } from './trace-ids.ts';

export class Hearsay {
  /** All `Connection` headers in one; empty where there is none. */
  connection = '';
  forwardedFor = '';
  /** The first of its name counts, as with `forwardedHost`. */
  forwardedProto = '';
  forwardedHost = '';
  #traceparent = '';

  /** Makes it ready for the next request. */
  forget(): void {
    this.connection = '';
    this.forwardedFor = '';
    this.forwardedProto = '';
    this.forwardedHost = '';
    this.#traceparent = '';
  }

  take(treatment: Treatment, value: string): void {
    switch (treatment) {
      case 'connection':
        this.connection = this.connection === '' ? value : `${this.connection},${value}`;
        break;
      case 'traceparent':
        this.#traceparent = this.#traceparent === '' ? value : 'several';
        break;
      case 'x-forwarded-for':
        this.forwardedFor = this.forwardedFor === '' ? value : `${this.forwardedFor}, ${value}`;
        break;
      case 'x-forwarded-proto':
        this.forwardedProto ||= value;
        break;
      case 'x-forwarded-host':
        this.forwardedHost ||= value;
        break;
      default: // says nothing that counts
    }
  }

  /** The trace that the client is in; null where it names none, or several. */
  get traceparent(): string | null {
    return isTraceparent(this.#traceparent) ? this.#traceparent : null;
  }
}
