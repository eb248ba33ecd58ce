/** What a command that decides something prints, for a person or as JSON. */

/** What came of it: JSON has all of it, a person reads `message`. */
export type Verdict =
  | { readonly ok: true; readonly message: string; readonly [more: string]: unknown }
  | {
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      readonly [more: string]: unknown;
    };

/** Returns whether it was done. */
export function printVerdict(verdict: Verdict, options: { readonly json: boolean }): boolean {
  if (options.json) console.log(JSON.stringify(verdict, null, 2));
  else if (verdict.ok) console.log(verdict.message);
  else console.error(verdict.message);
  return verdict.ok;
}
