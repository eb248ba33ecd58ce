/** What a proof finds, and how it reads what may have been edited. */

import type { LedgerMs } from '../../../ledger/model/values/units.js';

export interface VerifyProblem {
  /** The invariant that is broken, by its id in SPEC.md. */
  readonly invariant: 'L2' | 'L3' | 'L4' | 'L5' | 'L6' | 'L9' | 'L11';
  readonly detail: string;
}

/** Called now and then: what is being checked, and how many of it are done. */
export type Progress = (step: 'journal' | 'stock' | 'reservations', done: number) => void;

export const PROGRESS_EVERY = 10_000;
/** Problems that a report lists; it counts all. */
const PROBLEMS_MAX = 100;

export class Findings {
  readonly first: VerifyProblem[] = [];
  total = 0;

  add(invariant: VerifyProblem['invariant'], detail: string): void {
    this.total += 1;
    if (this.first.length < PROBLEMS_MAX) this.first.push({ invariant, detail });
  }
}

/** The row that says where the journal ends. */
export interface HeadRow {
  readonly shop: string;
  readonly last_at_ms: LedgerMs;
  readonly journal_seq: number;
  readonly journal_hash: Buffer;
}

/** Null when it is no JSON: somebody has edited it. */
export function parseJson<T>(text: string | null | undefined): T | null {
  try {
    return JSON.parse(text ?? 'null') as T | null;
  } catch {
    return null;
  }
}
