/**
 * Quantities and times of the ledger. Both are plain integers at run time; the brand makes the one parser
 * below the only way to get a quantity out of foreign input.
 */

declare const unitsBrand: unique symbol;

/** A whole number of sellable units, 1..UNITS_MAX. Never a fraction, never a string. */
export type Units = number & { readonly [unitsBrand]: true };

/** Milliseconds since the Unix epoch in ledger time, which never runs backwards (invariant L9). */
export type LedgerMs = number;

/** Largest quantity one reservation line may ask for. Keeps every sum far below 2^53. */
export const UNITS_MAX = 1_000_000;

/**
 * The one parser for quantities. Refuses (returns null) anything but an integer from 1 to UNITS_MAX:
 * fractions, numeric strings, NaN, infinities, zero, negatives and numbers past 2^53 included.
 */
export function parseUnits(input: unknown): Units | null {
  // False for whatever is no number, too.
  if (!Number.isInteger(input)) return null;
  const units = input as Units;
  return units >= 1 && units <= UNITS_MAX ? units : null;
}
