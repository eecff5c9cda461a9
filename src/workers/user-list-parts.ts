// Lists of users on their way to a worker, in parts: a list of a million lines neither blocks a process nor keeps the news of a split
// waiting behind it.
import type { UserList } from '../config/user-lists.ts';
import type { ByteString } from '../rollout/policy.ts';

const partBytes = 262_144;

/** The IDs as lines, one byte a char; IDs hold no line feed. An empty list is one empty part. */
export function* partsOf({ users }: UserList): Generator<Uint8Array> {
  let lines: string[] = [];
  let length = 0;
  for (const user of users) {
    lines.push(user);
    length += user.length + 1;
    if (length < partBytes) continue;
    yield Buffer.from(lines.join('\n'), 'latin1');
    lines = [];
    length = 0;
  }
  if (lines.length > 0 || users.size === 0) yield Buffer.from(lines.join('\n'), 'latin1');
}

/** The lists that a worker holds, by their digest. */
export class ReceivedLists {
  readonly #lists = new Map<string, Set<ByteString>>();

  /** Adds a part; parts of one list come in turn. */
  add(digest: string, part: Uint8Array): void {
    let users = this.#lists.get(digest);
    if (users === undefined) this.#lists.set(digest, (users = new Set()));
    if (part.length === 0) return;
    const text = Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('latin1');
    for (const user of text.split('\n')) users.add(user);
  }

  get(digest: string): ReadonlySet<ByteString> {
    const users = this.#lists.get(digest);
    if (users === undefined) throw new Error(`expected the users of list ${digest} before the policy that names it`);
    return users;
  }

  /** Forgets the lists that a policy does not name. */
  keepOnly(digests: ReadonlySet<string>): void {
    for (const digest of this.#lists.keys()) if (!digests.has(digest)) this.#lists.delete(digest);
  }
}
