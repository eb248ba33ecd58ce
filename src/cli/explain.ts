/** `holdfast explain ORDER`: the whole story of one order in sentences, from the journal, with the stock that it was decided on. */

import type { JournalEntry } from '../ledger/model/journal.js';
import { sentenceOf } from '../ledger/query/timeline.js';
import type { Owned } from '../ledger/state/state.js';
import { callerText, lineText, timeText, withLedger } from './ledger/ledger-command.js';
import { ORDER_UNKNOWN } from './orders.js';
import { printVerdict } from './terminal/verdict-output.js';

const ENTRIES_MAX = 1_000;

/** False when there is no such order. */
export async function explain(orderId: string, options: { readonly json: boolean }): Promise<boolean> {
  const story = await withLedger(async ({ store }) => {
    const found = await store.read({ owned: { order_id: orderId } }, (state) =>
      state.owned?.order == null ? null : { owned: state.owned, items: state.owned_items },
    );
    if (found === null) return null;
    const own = await store.timeline(found.owned.reservation.reservation_key, ENTRIES_MAX);
    // The stock that it was decided on; what the shop sold in the weeks until a return is another story.
    const last = own.find(({ kind }) => kind === 'order.placed') ?? own.at(-1);
    const seqs = { from: own[0]?.seq ?? 0, to: last?.seq ?? 0 };
    const stock = await Promise.all(
      found.items.map((item) => store.itemTimeline(item.item_key, seqs, ENTRIES_MAX)),
    );
    return { owned: found.owned, entries: [...own, ...stock.flat()].sort((a, b) => a.seq - b.seq) };
  });
  if (story === null) {
    return printVerdict(ORDER_UNKNOWN, options);
  }
  const { owned, entries } = story;
  if (options.json)
    console.log(
      JSON.stringify(
        entries.map((entry) => ({ ...entry, data: JSON.parse(entry.data) })),
        null,
        2,
      ),
    );
  else for (const line of [...headLines(owned), ...entries.map(entryLine)]) console.log(line);
  return true;
}

function headLines({ order, reservation, outbox }: Owned): readonly string[] {
  if (order === null) throw new Error('an order that was found');
  const lines = reservation.lines.map(({ sku, reserved }) => ({ sku, quantity: reserved }));
  const atShop = order.upstream_order_name === null ? '' : `, ${order.upstream_order_name} at the shop`;
  const failure = order.state === 'accepted' && outbox.attempts > 0 ? outbox.last_failure : null;
  const tries = failure === null ? '' : ` (tried ${outbox.attempts} times, last: ${failure})`;
  return [
    `Order ${order.id}${atShop}: ${order.state}${tries}. ${lineText(lines)} for ${callerText(reservation)}.`,
    'Times are UTC.',
    '',
  ];
}

function entryLine(entry: JournalEntry): string {
  const data = JSON.parse(entry.data) as Record<string, unknown>;
  const sentence = sentenceOf(entry) ?? STOCK_SENTENCES[entry.kind]?.(data) ?? `${entry.kind}.`;
  const more = MORE[entry.kind]?.(data) ?? '';
  return `${timeText(entry.at_ms)}  ${sentence}${more === '' ? '' : ` ${more}`}`;
}

type Say = (data: Readonly<Record<string, unknown>>) => string;

/** What the timeline of an order leaves out, because an agent can do nothing with it. */
const STOCK_SENTENCES: Readonly<Record<string, Say>> = {
  'stock.changed': ({ sku, levels, lifecycle }) =>
    `The stock of ${String(sku)} has changed: the shop has ${availableText(levels)}${lifecycle === 'active' ? '' : `, and it is ${String(lifecycle)}`}.`,
  'holds.moved': ({ sku, levels }) =>
    `What is held of ${String(sku)} counts in another place or way: the shop has ${availableText(levels)}.`,
  'stock.rise_withheld': ({ sku, from_units, to_units }) =>
    `The shop’s figure of ${String(sku)} rose from ${String(from_units)} to ${String(to_units)} at once: the rise is not sold until a second read shows it, too.`,
  'stock.rise_settled': ({ sku, to_units }) =>
    `The rise of ${String(sku)} is settled by a second read: the shop has ${String(to_units)}.`,
  'stock.jumped': ({ sku }) => `The stock of ${String(sku)} has jumped by more than sales explain.`,
};

/** Facts behind the sentences. Reasons have words of ours. */
const MORE: Readonly<Record<string, Say>> = {
  'reservation.created': ({ expires_at_ms }) => `They are held until ${timeText(Number(expires_at_ms))}.`,
  'order.held': ({ reasons }) => whyText(reasons),
  'order.rejected': ({ reasons }) => whyText(reasons),
  'order.failed': ({ reason }) => whyText([reason]),
  'order.buyer_refused': ({ fields }) => `Refused: ${(fields as readonly string[]).join(', ')}.`,
  'order.placed': ({ gap_ms }) =>
    gap_ms === undefined ? '' : `The last look at its stock was ${Number(gap_ms)} ms before.`,
};

/** Rows of place, units available, held, mirrored and under way. */
function availableText(levels: unknown): string {
  const rows = levels as readonly (readonly [string, number])[];
  const units = rows.reduce((sum, [, available]) => sum + available, 0);
  return `${units} available at ${rows.length === 1 ? '1 location' : `${rows.length} locations`}`;
}

function whyText(reasons: unknown): string {
  const list = (reasons as readonly (string | { readonly code: string; readonly detail?: string })[]).map(
    (reason) => (typeof reason === 'string' ? reason : (reason.detail ?? reason.code)),
  );
  return list.length === 0 ? '' : `Why: ${list.join(' ')}`;
}
