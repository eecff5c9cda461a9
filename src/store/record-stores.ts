// The small records, as the store promises to keep them: policies in force, used links, kept answers, named values. Types only.
import type { Document } from './stored-document.ts';

/** The texts that were in force; the caller masks secrets before they get here. */
export type PolicyVersions = {
  /** Records that this text is in force from now on; nothing changes when the newest has the same fingerprint. */
  append(version: PolicyVersion): Promise<void>;
  /** The newest `limit`, newest first. */
  list(page: { readonly limit: number }): Promise<readonly Omit<PolicyVersion, 'text'>[]>;
  /** The text with this fingerprint, or null. */
  text(fingerprint: string): Promise<string | null>;
};

export type PolicyVersion = { readonly fingerprint: string; readonly atMs: number; readonly text: string };

/** Remembers which signed links were used, until they expire anyway. */
export type SingleUseTokens = {
  /** True for the first caller with this `id`, false for every other and for a token that has expired. */
  consume(token: { readonly id: string; readonly nowMs: number; readonly expiresMs: number }): Promise<boolean>;
};

/** Answers to actions by their idempotency key. */
export type IdempotentResponses<Response> = {
  find(key: { readonly key: string; readonly nowMs: number }): Promise<Document<Response> | null>;
  /** Keeps the answer until `expiresMs` and returns the one in force: the first that was kept wins. */
  remember(answer: {
    readonly key: string;
    readonly response: Document<Response>;
    readonly nowMs: number;
    readonly expiresMs: number;
  }): Promise<Document<Response>>;
};

/** Single documents by name, such as a snapshot of the risk set. */
export type NamedValues = {
  get(key: string): Promise<Document | null>;
  /** The last one wins. */
  put(key: string, document: Document): Promise<void>;
  /** Keeps the document unless there is one, whoever wrote it; resolves with the one that is kept. */
  putFirst(key: string, document: Document): Promise<Document>;
  remove(key: string): Promise<void>;
};
