/** `holdfast explain ORDER`: the whole story of one order, from the journal, with the stock that it was decided on. */

import type { JournalEntry } from '../ledger/journal.js';
import { timelineOf } from '../ledger/timeline.js';
import { timeText, withLedger } from './ledger-command.js';
import { ORDER_UNKNOWN } from './orders.js';
import { printVerdict } from './verdict-output.js';

const ENTRIES_MAX = 1_000;

/** False when there is no such order. */
export async function explain(orderId: string, options: { readonly json: boolean }): Promise<boolean> {
  const story = await withLedger(async ({ store }) => {
    const found = await store.read({ owned: { order_id: orderId } }, (state) =>
      state.owned?.order == null
        ? null
        : { key: state.owned.reservation.reservation_key, items: state.owned_items },
    );
    if (found === null) return null;
    const own = await store.timeline(found.key, ENTRIES_MAX);
    // The stock that it was decided on; what the shop sold in the weeks until a return is another story.
    const last = own.find(({ kind }) => kind === 'order.placed') ?? own.at(-1);
    const seqs = { from: own[0]?.seq ?? 0, to: last?.seq ?? 0 };
    const stock = await Promise.all(
      found.items.map((item) => store.itemTimeline(item.item_key, seqs, ENTRIES_MAX)),
    );
    return [...own, ...stock.flat()].sort((a, b) => a.seq - b.seq);
  });
  if (story === null) {
    return printVerdict(ORDER_UNKNOWN, options);
  }
  if (options.json)
    console.log(
      JSON.stringify(
        story.map((entry) => ({ ...entry, data: JSON.parse(entry.data) })),
        null,
        2,
      ),
    );
  else for (const entry of story) print(entry);
  return true;
}

function print(entry: JournalEntry): void {
  const [told] = timelineOf([entry]);
  console.log(`#${entry.seq}  ${timeText(entry.at_ms)}  ${entry.kind.padEnd(22)} ${told?.detail ?? ''}`);
  console.log(`      ${entry.data}`);
}
