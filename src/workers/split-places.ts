// Where a worker keeps the splits in force. One place for each rollout with its versions: a policy that changes the versions gets
// another one, and requests that began on the policy before go on with theirs.
import type { Rollout } from '../rollout/policy.ts';
import { layOutSplit, type SplitCell } from '../rollout/split.ts';
import type { SplitNews } from './messages.ts';

/** `serial`: of the split in the cell. */
export type SplitPlace = { readonly cell: SplitCell; serial: number };

/** What tells the versions of one policy from those of the next. */
export function versionNamesOf({ versions }: Rollout): string {
  return versions.map(({ name }) => name).join(' ');
}

export class SplitPlaces {
  readonly #places = new Map<string, SplitPlace>();

  /** Brings a split into force; also one for a policy that is still on its way. An older one than is known changes nothing. */
  take({ rollout, versions, serial, split }: SplitNews): void {
    const key = keyOf(rollout, versions);
    const place = this.#places.get(key);
    if (place === undefined) this.#places.set(key, { cell: { current: split }, serial });
    else if (serial > place.serial) {
      place.cell.current = split;
      place.serial = serial;
    }
  }

  /** The place of a rollout; with the policy's own split where nothing was said of it. */
  of(rollout: Rollout): SplitPlace {
    const key = keyOf(rollout.name, versionNamesOf(rollout));
    let place = this.#places.get(key);
    if (place === undefined) {
      place = { cell: { current: layOutSplit(rollout.versions, rollout.split) }, serial: 0 };
      this.#places.set(key, place);
    }
    return place;
  }

  /** Forgets what these rollouts do not need. */
  keepOnly(rollouts: readonly Rollout[]): void {
    const needed = new Set(rollouts.map((rollout) => keyOf(rollout.name, versionNamesOf(rollout))));
    for (const key of this.#places.keys()) if (!needed.has(key)) this.#places.delete(key);
  }
}

function keyOf(rollout: string, versions: string): string {
  return `${rollout}/${versions}`;
}
