/** `holdfast orders`: list them; approve or reject one that is held. */

import { userInfo } from 'node:os';
import { callerText, lineText, timeText, withLedger } from './ledger-command.js';

const LIST_MAX = 50;

export async function listOrders(options: { readonly json: boolean }): Promise<void> {
  const orders = await withLedger(({ store }) => store.listOrders(LIST_MAX));
  if (options.json) {
    console.log(JSON.stringify(orders, null, 2));
    return;
  }
  if (orders.length === 0) console.log('No orders yet.');
  for (const order of orders) {
    const shop = order.upstream_order_name ?? '';
    const parked = order.parked ? `  PARKED (${order.last_failure}): a person has to look at the shop` : '';
    console.log(
      `${timeText(order.submitted_at_ms)}  ${order.order_id}  ${order.state.padEnd(9)} ${shop.padEnd(7)} ${callerText(order)}  ${lineText(order.lines)}${parked}`,
    );
  }
}

/** False when the order is not there, or not in the state that the word is for. */
export async function decideOrder(orderId: string, word: 'approve' | 'reject' | 'retry'): Promise<boolean> {
  const by = userInfo().username;
  const result = await withLedger(({ ledger }) =>
    word === 'retry' ? ledger.retryParked(orderId, by) : ledger.decideHeld(orderId, word, by),
  );
  if (!result.ok) {
    const { status } = result.refusal.details;
    const needed = word === 'retry' ? 'parked' : 'held';
    console.error(
      status === undefined
        ? 'There is no such order. holdfast orders lists them.'
        : `The order is ${String(status)} and not ${needed}: there is nothing to ${word}.`,
    );
    return false;
  }
  console.log(DONE[word]);
  return true;
}

const DONE = {
  approve:
    'Approved. A running server reads the shop again, and places the order if the stock still covers it.',
  reject: 'Rejected. Its units are free again.',
  retry: 'A running server looks at the shop again, and goes on from what is there.',
} as const;
