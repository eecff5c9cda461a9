// What comes of reading one written value: what the policy holds, or what is wrong with it. Expected outcomes are values.

export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      /** What is wrong, to follow the quoted value: `is not a duration`. */
      readonly problem: string;
      /** What would be right. */
      readonly hint: string | null;
      /** The value may hold a secret: do not show it. */
      readonly hidesValue: boolean;
    };

export function accepted<T>(value: T): Reading<T> {
  return { ok: true, value };
}

export function refused(problem: string, hint: string | null = null): Reading<never> {
  return { ok: false, problem, hint, hidesValue: false };
}

/** Like `refused`, for a value that may hold a secret. */
export function refusedUnseen(problem: string, hint: string | null = null): Reading<never> {
  return { ok: false, problem, hint, hidesValue: true };
}
