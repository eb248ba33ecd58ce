/** `holdfast orders`: list them; approve or reject one that is held. */

import { userInfo } from 'node:os';
import { LIMITS } from '../config/config.js';
import type { OrderListing } from '../ledger/state/state.js';
import { callerText, lineText, timeText, withLedger } from './ledger/ledger-command.js';
import { type ListPage, readPage } from './ledger/list-pages.js';
import { durationText } from './terminal/format.js';
import { tableLines } from './terminal/table.js';
import { printVerdict, type Verdict } from './terminal/verdict-output.js';

export interface OrderListOptions extends ListPage {
  readonly isHeld: boolean;
  readonly isParked: boolean;
  readonly json: boolean;
}

/** False when the order to go on from is not there. */
export async function listOrders(options: OrderListOptions): Promise<boolean> {
  const { isHeld, isParked, beforeId: beforeOrderId } = options;
  const page = await withLedger(({ store }) =>
    readPage(
      options,
      ({ order_id }: OrderListing) => order_id,
      (limit) => store.listOrders({ limit, beforeOrderId, isHeld, isParked }),
    ),
  );
  if (page === null) return printVerdict(ORDER_UNKNOWN, options);
  const { rows, nextBeforeId } = page;
  if (options.json) {
    console.log(JSON.stringify(rows, null, 2));
    return true;
  }
  if (rows.length === 0) console.log(noneText(options));
  else for (const line of orderLines(rows, Date.now())) console.log(line);
  if (nextBeforeId !== null) {
    const filters = `${isHeld ? ' --held' : ''}${isParked ? ' --parked' : ''}`;
    console.log(`There are more: holdfast orders${filters} --before ${nextBeforeId}`);
  }
  return true;
}

/** False when the order is not there, or not in the state that the word is for. */
export async function decideOrder(
  orderId: string,
  word: 'approve' | 'reject' | 'retry',
  options: { readonly json: boolean },
): Promise<boolean> {
  const by = userInfo().username;
  const result = await withLedger(({ ledger }) =>
    word === 'retry' ? ledger.retryParked(orderId, by) : ledger.decideHeld(orderId, word, by),
  );
  if (result.ok) return printVerdict({ ok: true, order_id: orderId, ...DONE[word] }, options);
  const { code, details } = result.refusal;
  const { status, held_for } = details;
  if (status === undefined) return printVerdict(ORDER_UNKNOWN, options);
  const needed = word === 'retry' ? 'parked' : 'held';
  const message =
    held_for === 'buyer_refused'
      ? 'The shop refused a detail of its buyer, and only the agent can send it corrected: it goes on by itself then. It can be rejected.'
      : `The order is ${String(status)} and not ${needed}: there is nothing to ${word}.`;
  const held = held_for === undefined ? {} : { held_for };
  return printVerdict({ ok: false, code, message, order_id: orderId, status, ...held }, options);
}

export const ORDER_UNKNOWN: Verdict = {
  ok: false,
  code: 'order_unknown',
  message: 'There is no such order. holdfast orders lists them.',
};

const HEAD = ['submitted (UTC)', 'order', 'state', 'at the shop', 'for', 'lines'];

/** A header, and a line for each order; behind it, what a person has to know of it. */
export function orderLines(orders: readonly OrderListing[], now_ms: number): string[] {
  const rows = orders.map((order) => [
    timeText(order.submitted_at_ms),
    order.order_id,
    stateText(order),
    order.upstream_order_name ?? '',
    callerText(order),
    lineText(order.lines),
  ]);
  const [head = '', ...lines] = tableLines(HEAD, rows, []);
  const notes = orders.map((order) => noteText(order, now_ms));
  return [head, ...lines.map((line, at) => `${line}${notes[at] ?? ''}`)];
}

function noteText(order: OrderListing, now_ms: number): string {
  const { state, submitted_at_ms, attempts, last_failure, held_until_ms, route_why, parked } = order;
  const until = held_until_ms === null ? '' : `  until ${timeText(held_until_ms)}`;
  const route = route_why === null ? '' : `  NOT MOVED to its promised place (${route_why})`;
  if (parked) return `${until}${route}  PARKED (${last_failure}): a person has to look at the shop`;
  const waits_ms = now_ms - submitted_at_ms;
  const isLate = state === 'accepted' && waits_ms >= LIMITS.outbox.order_late_ms;
  const why = attempts === 0 ? '' : ` (${last_failure}, tried ${attempts} times)`;
  return `${until}${route}${isLate ? `  NOT AT THE SHOP for ${durationText(waits_ms)}${why}` : ''}`;
}

function stateText({ state, held_for }: OrderListing): string {
  return held_for === null || held_for === 'stale' ? state : `${state} (${held_for})`;
}

function noneText({ isHeld, isParked, beforeId }: OrderListOptions): string {
  if (beforeId !== null) return 'No older ones.';
  const kinds = [...(isHeld ? ['held'] : []), ...(isParked ? ['parked'] : [])];
  return kinds.length === 0 ? 'No orders yet.' : `No order is ${kinds.join(' or ')}.`;
}

const DONE = {
  approve: {
    decided: 'approved',
    message:
      'Approved. A running server reads the shop again, and places the order if the stock still covers it.',
  },
  reject: { decided: 'rejected', message: 'Rejected. Its units are free again.' },
  retry: {
    decided: 'retried',
    message: 'A running server looks at the shop again, and goes on from what is there.',
  },
} as const;
