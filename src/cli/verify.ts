/** `holdfast verify`: proves the journal's chain and the invariants of the ledger, from the file, and by anchors kept elsewhere. */

import { setTimeout as pause } from 'node:timers/promises';
import { LIMITS, type ShopConfig } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import { type Anchor, anchorText, parseAnchor } from '../ledger/model/values/anchor.js';
import { type AnchoredOrder, UpstreamError } from '../sources/source.js';
import { type VerifyReport, verifyLedgerFile } from '../store/sqlite/verify.js';
import { machineConfig } from './ledger/machine-environment.js';
import { printVerdict } from './terminal/verdict-output.js';

export interface VerifyCommandOptions {
  /** Whether the shop's orders are asked for the anchors that stand on them. */
  readonly anchors: boolean;
  /** An anchor as text; null where none was kept. */
  readonly since: string | null;
  readonly json: boolean;
}

type KeptAnchor = Anchor & { readonly kept_at: string };

/** False when anything does not hold, or the shop can't be asked. Throws `ConfigError` for what is no anchor. */
export async function verify(options: VerifyCommandOptions): Promise<boolean> {
  const { json, since } = options;
  const { db, shop } = machineConfig();
  const given = since === null ? [] : [readGiven(since)];
  let orders: readonly AnchoredOrder[] = [];
  try {
    if (options.anchors) orders = await readOrders(shop);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const message = `The shop could not be asked for its anchors (${error.failure}), so nothing was proved. holdfast doctor says more.`;
    return printVerdict({ ok: false, code: error.failure, message }, { json });
  }
  const onProgress = (step: string, done: number): void => console.error(`… ${step}: ${done}`);
  const marked = orders.flatMap(({ order_name, anchor }) =>
    anchor === null ? [] : [{ kept_at: `on order ${order_name}`, anchor: parseAnchor(anchor) }],
  );
  const anchors = [
    ...given,
    ...marked.flatMap(({ kept_at, anchor }) => (anchor === null ? [] : [{ ...anchor, kept_at }])),
  ];
  const unreadable = marked.flatMap(({ kept_at, anchor }) => (anchor === null ? [kept_at] : []));
  const report = verifyLedgerFile(db, { ...(json ? {} : { onProgress }), anchors, unreadable });
  const compared = { anchors: anchors.length, orders_without_anchor: orders.length - marked.length };
  if (json) console.log(JSON.stringify({ ...report, ...compared }, null, 2));
  else print(report, options.anchors || since !== null ? compared : null);
  return report.ok;
}

function print(
  { checked, journal_entries, anchor, problems, problems_total, shop, ok }: VerifyReport,
  compared: { readonly anchors: number; readonly orders_without_anchor: number } | null,
): void {
  console.log(`Ledger of ${shop}: ${journal_entries} journal entries, anchor ${anchorText(anchor)}`);
  console.log(
    `${checked.items} items, ${checked.levels} stock levels, ${checked.holds} holds, ${checked.reservations} reservations, ${checked.orders} orders`,
  );
  if (compared !== null) {
    const without = compared.orders_without_anchor;
    const others =
      without === 0
        ? ''
        : ` (${without} orders of the shop have none: an older version made them, or a person removed it)`;
    console.log(`Compared with ${compared.anchors} anchors${others}.`);
  }
  for (const { invariant, detail } of problems) console.log(`✗ ${invariant}: ${detail}`);
  console.log(ok ? '✓ The chain is whole and everything adds up.' : `✗ ${problems_total} problems.`);
}

function readGiven(text: string): KeptAnchor {
  const anchor = parseAnchor(text);
  if (anchor !== null) return { ...anchor, kept_at: 'that you gave' };
  throw new ConfigError(
    'That is no anchor. holdfast verify prints one: 1:NUMBER:HASH; {"v":1,"n":NUMBER,"hash":"HASH"} says the same.',
  );
}

/** Throws `UpstreamError`. */
async function readOrders(shop: ShopConfig | null): Promise<readonly AnchoredOrder[]> {
  if (shop === null) {
    throw new ConfigError('SHOPIFY_SHOP is not set, so there is no shop to ask for anchors.', [
      'SHOPIFY_SHOP',
    ]);
  }
  const { openShopify } = await import('../sources/shopify/shopify.js');
  const { anchors } = openShopify({
    ...shop,
    now: Date.now,
    random: Math.random,
    sleep: async (ms, signal) => {
      await pause(ms, undefined, { signal }).catch(() => undefined);
    },
    log: () => undefined,
    tuning: { timeout_ms: LIMITS.doctor.request_ms, attempts_max: 3 },
  });
  const orders: AnchoredOrder[] = [];
  for await (const page of anchors.readAnchors(AbortSignal.timeout(ANCHORS_MS))) orders.push(...page);
  return orders;
}

/** A hundred orders a call, two calls a second: a quarter of a million orders. */
const ANCHORS_MS = 20 * 60_000;
