// A document as it is kept and as it crosses threads: its format beside its JSON text. Packed and unpacked on the caller's side.

import { GraygateError } from '../errors.ts';

/** A JSON value of the caller's type and the number of its shape, so that a later release can tell an old one. */
export type Document<T = unknown> = { readonly format: number; readonly value: T };

export type StoredDocument = { readonly format: number; readonly json: string };

/** As text. Throws a TypeError for what JSON cannot carry (a cycle, a bigint). */
export function packDocument({ format, value }: Document): StoredDocument {
  return { format, json: JSON.stringify(value ?? null) };
}

/** As the caller put it in; `format` is what the caller may rely on. Throws `store-corrupt` for text that is no JSON. */
export function unpackDocument<T>({ format, json }: StoredDocument): Document<T> {
  try {
    const value: T = JSON.parse(json);
    return { format, value };
  } catch (cause) {
    throw new GraygateError('store-corrupt', 'a stored document is not JSON; put a backup in its place', { cause });
  }
}
