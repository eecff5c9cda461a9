// What the admin port needs of whoever signs the links in alerts, and remembers the used ones. Types only, as in admin-parts.ts.
import type { ActionKind } from '../rollout/rollout-event.ts';

/** Reads signed links. */
export interface ActionLinks {
  read(token: string, nowMs: number): LinkReading;
}

/** `id` is the same for the same link and no other; `by` goes into the audit log; `revision` as in `ActionRequest`. */
export type LinkReading =
  | {
      readonly ok: true;
      readonly link: {
        readonly id: string;
        readonly rollout: string;
        readonly action: ActionKind;
        readonly revision: number | null;
        readonly by: string;
        readonly expiresMs: number;
      };
    }
  | { readonly ok: false; readonly reason: 'forged' | 'expired' };

export interface UsedLinks {
  /** True for the first caller with this `id`. Rejects with a GraygateError when the store cannot. */
  consume(link: { readonly id: string; readonly nowMs: number; readonly expiresMs: number }): Promise<boolean>;
}
