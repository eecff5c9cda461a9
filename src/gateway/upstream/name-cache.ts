// What is known of the names of headers, by how clients spell them. Clients choose the names, so nothing that they send can make
// it large or keep out for good what others send.

/** Longer names are looked at each time; hardly any real one is. */
const mostNameLength = 64;
/** Beyond so many it begins anew: whoever fills it with junk does not keep the names of others out. */
const mostNameCount = 1_000;

export class NameCache<T> {
  readonly #known = new Map<string, T>();

  /** What was found out about the name; undefined: nothing yet, or not any more. */
  get(name: string): T | undefined {
    return this.#known.get(name);
  }

  /** Remembers what was found out, and returns it. */
  add(name: string, value: T): T {
    if (name.length > mostNameLength) return value;
    if (this.#known.size === mostNameCount) this.#known.clear();
    this.#known.set(name, value);
    return value;
  }
}
