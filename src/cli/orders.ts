/** `holdfast orders`: list them; approve or reject one that is held. */

import { userInfo } from 'node:os';
import { lineText, timeText, withLedger } from './ledger-command.js';

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
      `${timeText(order.submitted_at_ms)}  ${order.order_id}  ${order.state.padEnd(9)} ${shop.padEnd(7)} ${lineText(order.lines)}${parked}`,
    );
  }
}

/** False when the order is not there or not held. */
export async function decideOrder(orderId: string, verdict: 'approve' | 'reject'): Promise<boolean> {
  const result = await withLedger(({ ledger }) => ledger.decideHeld(orderId, verdict, userInfo().username));
  if (!result.ok) {
    const { status } = result.refusal.details;
    console.error(
      status === undefined
        ? 'There is no such order. holdfast orders lists them.'
        : `The order is ${String(status)}, not held: there is nothing to decide.`,
    );
    return false;
  }
  console.log(
    verdict === 'approve'
      ? 'Approved. A running server reads the shop again, and places the order if the stock still covers it.'
      : 'Rejected. Its units are free again.',
  );
  return true;
}
