/**
 * Bugs that a ledger could have. The harness puts each into a copy of the program and has to find it: a simulation that
 * finds nothing in these would prove nothing by finding nothing in the program. Each text must be there exactly once, so
 * that a change of the program that takes it away is noticed here.
 */

import type { ThemeName } from './story.js';

export interface Mutation {
  readonly name: string;
  /** A seed that is known to find it; others are tried when it does not any more. */
  readonly seed: number;
  /** What the stories are about that show it. */
  readonly theme: ThemeName;
  readonly changes: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
}

function mutation(
  name: string,
  seed: number,
  file: string,
  find: string,
  replace: string,
  theme: ThemeName = 'everything',
): Mutation {
  return { name, seed, theme, changes: [{ file, find, replace }] };
}

/** Units that come back to a level and are nobody's are believed to be for sale, whatever drafts rest on the item. */
const BELIEVES_RISES: Mutation['changes'] = [
  {
    file: 'ledger/stock/apply-report.ts',
    find: 'placed.riseUnits > 0 ? doubtHolds',
    replace: 'placed.riseUnits > Number.MAX_SAFE_INTEGER ? doubtHolds',
  },
];

export const MUTATIONS: readonly Mutation[] = [
  mutation(
    'lines of one SKU are not summed',
    1,
    'ledger/reservation/reserve.ts',
    'allocate(eligible, promisable, wanted)',
    'allocate(eligible, new Map(promisable), wanted)',
    'crowded',
  ),
  mutation(
    'a hold is settled one report early',
    1,
    'ledger/stock/apply-report.ts',
    'if (hold.awaits === null || hold.awaits_after_ms === null || readAt < hold.awaits_after_ms) return [];',
    'if (hold.awaits === null || hold.awaits_after_ms === null) return [];',
    'slow_reads',
  ),
  {
    name: 'the checksum is compared outside the transaction',
    seed: 1,
    theme: 'bestseller',
    changes: [
      {
        file: 'ledger/ledger.ts',
        find: 'await this.#freshen(old, asked_at_ms);\n    let ages: readonly AgeSeen[] = [];\n',
        replace:
          'const early = await store.read({ ...mine, history: true }, (state) => state.owned === null ? undefined : judgeHash(state, wish.stock_hash));\n    Object.assign(request, { early });\n    await this.#freshen(old, asked_at_ms);\n    let ages: readonly AgeSeen[] = [];\n',
      },
      {
        file: 'ledger/ledger.ts',
        find: "import { currentHash } from './state/hash-verdict.js';",
        replace: "import { currentHash, judgeHash } from './state/hash-verdict.js';",
      },
      {
        file: 'ledger/order/submit.ts',
        find: "const verdict = judgeHash(state, request.stock_hash);\n  if (verdict === 'unknown') return refuseUnknownHash(state, owned, request);\n  const overQuota",
        replace:
          "const verdict = request.early ?? judgeHash(state, request.stock_hash);\n  if (verdict === 'unknown') return refuseUnknownHash(state, owned, request);\n  const overQuota",
      },
    ],
  },
  mutation(
    'the expiry filter is forgotten',
    1,
    'ledger/model/reservation.ts',
    "return reservation.state === 'active' && now >= reservation.expires_at_ms;",
    'return false;',
  ),
  mutation(
    'a reservation lasts longer than it says',
    3,
    'ledger/model/reservation.ts',
    "return reservation.state === 'active' && now >= reservation.expires_at_ms;",
    "return reservation.state === 'active' && now >= reservation.expires_at_ms + 20_000;",
  ),
  {
    name: 'the figure in the webhook is believed',
    seed: 1,
    theme: 'late_news',
    changes: [
      {
        file: 'sync/inbox.ts',
        find: "    if (topic === PING_TOPIC) return 'pong';\n",
        replace: `    if (topic === PING_TOPIC) return 'pong';
    if (topic === 'inventory_levels/update') {
      const { inventory_item_id, location_id, available } = JSON.parse(body.toString());
      const item_id = String(inventory_item_id);
      const level = { location_id: String(location_id), available_units: available, on_hand_units: null, committed_units: null, upstream_updated_at_ms: null };
      const report = { item_id, catalogue: null, levels: [level], is_complete: false, read_at_ms: this.#ports.clock.now(), salt: '0'.repeat(32) };
      const settings = { mirror_margin_ms: 60000, safety_stock_units: 0, jump_share_percent: 50, jump_min_units: 10, drift_slack_ms: 120000 };
      await store.transact({ item_ids: [item_id] }, (state) => decideApplyReport(state, report, settings));
    }
`,
      },
      {
        file: 'sync/inbox.ts',
        find: "import type { ShopHint } from '../ledger/model/values/observation.js';",
        replace: "import { decideApplyReport } from '../ledger/stock/apply-report.js';",
      },
      {
        file: 'sources/shopify/webhooks/webhook-topics.ts',
        find: "const LEVEL_FIELDS = ['inventory_item_id',",
        replace: "const LEVEL_FIELDS = ['available', 'inventory_item_id',",
      },
    ],
  },
  mutation(
    'a draft is created again after an unknown outcome',
    1,
    'outbox/draft-protocol.ts',
    '// The next step is to look it up by our tag, at once and again after a wait.\n        return this.#progress.putOff(work, outcome);',
    "return this.#progress.putOff(work, outcome, 'absent');",
    'lost_drafts',
  ),
  mutation(
    'an order is sent again after an unknown outcome',
    1,
    'outbox/transfer-protocol.ts',
    '// The next step is to look for it by our tag, at once and again after a wait.\n        return progress.putOff(work, outcome);',
    "return progress.putOff(work, outcome, 'absent');",
    'lost_orders',
  ),
  mutation(
    'transactions are deferred instead of immediate',
    1,
    'store/sqlite/sqlite-store.ts',
    "db.prepare('BEGIN IMMEDIATE')",
    "db.prepare('BEGIN')",
    'crowded',
  ),
  mutation(
    'calls are answered before the commit',
    1,
    'store/sqlite/sqlite-store.ts',
    'this.#commit.run();\n      this.#commits += 1;\n      for (const answer of answers) answer();',
    'for (const answer of answers) answer();\n      this.#commit.run();\n      this.#commits += 1;',
    'full_disk',
  ),
  mutation(
    'a commit that failed is answered like any other',
    2,
    'store/sqlite/sqlite-store.ts',
    'this.#commit.run();\n      this.#commits += 1;\n      for (const answer of answers) answer();',
    'try { this.#commit.run(); } catch { if (this.#db.inTransaction) this.#rollback.run(); discardAdditions(this.#sql); }\n      this.#commits += 1;\n      for (const answer of answers) answer();',
    'full_disk',
  ),
  mutation(
    'a key that was used is not looked at',
    1,
    'ledger/reservation/reserve.ts',
    'if (state.remembered !== null) return { result: replay(state, asked) };',
    '',
  ),
  mutation(
    'a key is replayed whatever the arguments',
    1,
    'ledger/reservation/reserve.ts',
    'if (remembered.input_hash !== request.input_hash) {',
    'if (remembered === undefined) {',
  ),
  mutation(
    'the journal does not say whose release it was',
    1,
    'ledger/reservation/release.ts',
    "kind: 'reservation.released',\n          of_reservation: true,",
    "kind: 'reservation.released',\n          of_reservation: false,",
  ),
  mutation('the journal is not chained', 1, 'ledger/model/journal.ts', 'previousHash}\\n$', "''}\\n$"),
  {
    name: 'the ledger’s time follows the clock back',
    seed: 1,
    theme: 'clocks',
    changes: [
      {
        file: 'app/clock.ts',
        find: 'const at_ms = Math.max(paced, this.#limit(paced, isShared));',
        replace: 'const at_ms = this.#wall();',
      },
    ],
  },
  mutation(
    'stock of any age is fresh',
    2,
    'ledger/model/values/freshness.ts',
    'return confirmedAt > 0 && now - confirmedAt <= maxAgeS * 1000;',
    'return confirmedAt > 0;',
    'blackout',
  ),
  mutation(
    'a revalidation forgets those who came first',
    1,
    'ledger/order/revalidation.ts',
    'return ahead <= there + missed;',
    'return own.reduce((sum, hold) => sum + hold.quantity_units, 0) <= there + missed;',
    'last_few',
  ),
  mutation(
    'a stale checksum is accepted without a look',
    1,
    'ledger/order/submit.ts',
    "if (verdict === 'stale') {",
    "if (verdict === 'never') {",
  ),
  mutation(
    'a checksum that was never issued is taken for a stale one',
    12,
    'ledger/state/hash-verdict.ts',
    "wasTrueOnce(state, hash) ? 'stale' : 'unknown';",
    "wasTrueOnce(state, hash) ? 'stale' : 'stale';",
  ),
  {
    name: 'nobody asks whose reservation it is',
    seed: 2,
    theme: 'everything',
    // The store asks, so that a foreign id costs as much as an unknown one, and the rule asks again.
    changes: [
      {
        file: 'ledger/reservation/release.ts',
        find: 'state.owned !== null && state.owned.reservation.principal === principal ? state.owned : null',
        replace: 'state.owned',
      },
      {
        file: 'store/sqlite/session.ts',
        find: 'this.#owned(keys.owned, keys.owner)',
        replace: 'this.#owned(keys.owned)',
      },
    ],
  },
  mutation(
    'a draft holds one unit more',
    1,
    'sources/shopify/orders/order-sink.ts',
    "variantId: gid('ProductVariant', line.variant_id),\n        quantity: line.quantity_units,",
    "variantId: gid('ProductVariant', line.variant_id),\n        quantity: line.quantity_units + 1,",
    'undecided',
  ),
  mutation(
    'a row that the full disk has no room for is taken up again at once',
    2,
    'outbox/outbox.ts',
    'this.#stuck.add(key);',
    '',
    'full_disk',
  ),
  mutation(
    'an ended reservation keeps what it counted',
    1,
    'ledger/reservation/end-reservation.ts',
    'if (state === null) return null;\n  const until',
    'if (state === null) return hold;\n  const until',
  ),
  mutation(
    'a sum is not moved with its hold',
    1,
    'ledger/reservation/end-reservation.ts',
    'held_units: at.held_units - before.held + after.held,',
    'held_units: at.held_units,',
  ),
  mutation(
    'what is on hand is taken for what is available',
    1,
    'ledger/stock/apply-report.ts',
    'upstream_available_units: observation.available_units,',
    'upstream_available_units: observation.on_hand_units ?? observation.available_units,',
  ),
  mutation(
    'an order is completed without a look at the stock',
    2,
    'ledger/outbox/next-step.ts',
    'if (!LOOKS_FIRST.has(step)) return step;',
    "if (!LOOKS_FIRST.has(step) || step === 'complete' || step === 'place') return step;",
  ),
  mutation(
    'a hold is mirrored before the shop has shown it',
    6,
    'ledger/order/mirror-hold.ts',
    "awaits: 'mirror',\n    awaits_after_ms: now,",
    "awaits: 'mirror',\n    awaits_after_ms: 0,",
    'slow_reads',
  ),
  mutation(
    'units of others count as free',
    1,
    'ledger/model/stock.ts',
    'return held_units - expired_units + doubted_units + routed_units + unproven_units;',
    'return 0;',
  ),
  mutation(
    'the units of a draft are taken to stand where they were promised',
    1,
    'ledger/stock/place-units.ts',
    'gap < unitsOf(guessed) ? keepPlaces(groups) : assign(groups, slots);',
    '{ ...keepPlaces(groups), isUnique: true };',
    'routing',
  ),
  mutation(
    'units that are missing at one location are promised at another',
    1,
    'ledger/model/stock.ts',
    "if (mirror === 'move') return Number.POSITIVE_INFINITY;",
    'if (mirror !== null) return Number.POSITIVE_INFINITY;',
    'routing',
  ),
  mutation(
    'a draft is completed as a person has left it',
    1,
    'ledger/state/shop-lines.ts',
    'return a.size === b.size && [...a].every(([item, units]) => b.get(item) === units);',
    'return true;',
    'staff_edits',
  ),
  {
    name: 'a reservation that a person has taken off a draft is believed in',
    seed: 1,
    theme: 'staff_edits',
    changes: [
      {
        file: 'ledger/outbox/next-step.ts',
        find: 'if (until === null) return unmirrorHolds(state, owned);',
        replace: 'if (until === null) return {};',
      },
      ...BELIEVES_RISES,
    ],
  },
  {
    name: 'a sale does without figures of its own',
    seed: 7,
    theme: 'till_between_beats',
    changes: [
      {
        file: 'ledger/outbox/sale-check.ts',
        find: 'if (readSince === null) return true;',
        replace: 'if (readSince === null) return false;',
      },
      {
        file: 'outbox/draft-protocol.ts',
        find: "if (read === null || read.draft === null) return this.#progress.startOver(key, 'open');\n    const { found } = read.draft;\n    if (!isSound(work, found, now))",
        replace:
          'const found = read?.draft?.found ?? null;\n    if (read !== null && read.draft !== null && !isSound(work, found, now))',
      },
      {
        file: 'outbox/draft-protocol.ts',
        find: 'isLate = !this.#progress.holdsClaim(work) || this.#progress.saleRead(key) === null;',
        replace: 'isLate = !this.#progress.holdsClaim(work);',
      },
      {
        file: 'outbox/draft-protocol.ts',
        find: 'read_since_ms: read.sinceMs',
        replace: 'read_since_ms: read?.sinceMs ?? 0',
      },
    ],
  },
  mutation(
    'a shortage that is known wakes nobody',
    1,
    'ledger/stock/apply-report.ts',
    'const short_units = is > Math.max(0, was) ? is : 0;',
    'const short_units = is > Math.max(0, was) ? 0 : 0;',
    'till_between_beats',
  ),
  {
    name: 'the units of a draft that is gone still count as held at the shop',
    seed: 2,
    theme: 'staff_edits',
    changes: [
      {
        file: 'ledger/outbox/draft-edits.ts',
        find: '    ...unmirrorHolds(state, owned),\n    outbox: { ...outbox, last_failure: DRAFT_GONE },',
        replace: '    outbox: { ...outbox, last_failure: DRAFT_GONE },',
      },
      ...BELIEVES_RISES,
    ],
  },
  mutation(
    'a draft is left behind',
    1,
    'ledger/model/outbox-row.ts',
    "nothing: {\n      absent: 'rest',\n      creating: 'look_up',\n      open: 'delete',",
    "nothing: {\n      absent: 'rest',\n      creating: 'look_up',\n      open: 'rest',",
  ),
  mutation(
    'an order of a row from before is made without a look',
    2,
    'outbox/own-intents.ts',
    'const UNKNOWN: RowMemory = { isWitnessed: false, mayEnd: false };',
    'const UNKNOWN: RowMemory = { isWitnessed: true, mayEnd: true };',
    'restored_ledger',
  ),
  mutation(
    'the ledger’s time goes to the shop',
    1,
    'sources/shopify/orders/order-sink.ts',
    'return done(new Date(until_ms - lead_ms).toISOString());',
    'return done(new Date(until_ms - lead_ms * 0).toISOString());',
    'restored_ledger',
  ),
];
