/** Rows of the outbox that are due, in the order in which they are to be worked on: by lane, and callers take turns. */

import type { LedgerMs } from '../../../ledger/model/values/units.js';
import type { DueRows, DueWork, OutboxLane } from '../../../ledger/state/state.js';
import type { Statements } from './statements.js';

/** Callers that one look asks for work, whether it is due now or later: a look that ends there says where the next goes on. */
const CALLERS_MAX = 200;

/**
 * At most `limit` rows of the lane, one of each caller in turn, the longest due first. Turns begin behind `after`, the caller
 * that was served last, in the order of names and around it. Work that another worker has is left out.
 */
export function dueRows(
  sql: Statements,
  lane: OutboxLane,
  { limit, after, now, worker }: DueQuestion,
): DueRows {
  const statement = lane === 'orders' ? sql.due_orders : sql.due_holds;
  const queues: DueWork[][] = [];
  let asked = 0;
  for (const principal of callers(sql, lane, after ?? NOBODY)) {
    const due = statement.all(principal, now, now, worker, limit) as DueWork[];
    if (due.length > 0) queues.push(due);
    if (queues.length >= limit) break;
    asked += 1;
    if (asked >= CALLERS_MAX) return { rows: takeTurns(queues, limit), asked_up_to: principal };
  }
  return { rows: takeTurns(queues, limit), asked_up_to: null };
}

interface DueQuestion {
  readonly limit: number;
  readonly after: string | null;
  readonly now: LedgerMs;
  readonly worker: string;
}

/** Before the name of every caller. */
const NOBODY = '';

/** Callers who have a row that is due some time: those behind `after`, then the others. */
function* callers(sql: Statements, lane: OutboxLane, after: string): Generator<string> {
  const statement = lane === 'orders' ? sql.next_order_caller : sql.next_hold_caller;
  const next = (name: string): string | null =>
    (statement.get(name) as { readonly principal: string } | undefined)?.principal ?? null;
  for (let at = next(after); at !== null; at = next(at)) yield at;
  for (let at = next(NOBODY); at !== null && at <= after; at = next(at)) yield at;
}

function takeTurns(queues: readonly (readonly DueWork[])[], limit: number): readonly DueWork[] {
  const taken: DueWork[] = [];
  const longest = Math.max(0, ...queues.map((queue) => queue.length));
  for (let turn = 0; turn < longest; turn += 1) {
    for (const queue of queues) {
      const row = queue[turn];
      if (taken.length >= limit) return taken;
      if (row !== undefined) taken.push(row);
    }
  }
  return taken;
}
