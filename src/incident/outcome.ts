/** What came of a sale, in figures; and of many sales, from the worst to the best. */

import { LETTERS, type Letter, type Replay } from './replay.js';
import { CHANNELS, type Channel, HERO, HOUR, type Script } from './script.js';

/** What one unit costs to refund, in euros. Stated, not measured: multiply by your own. */
export const REFUND_EUR = 59;

export interface Outcome {
  readonly letter: Letter;
  /** Buyers who would pay, those who were told yes, and those who got all they paid for. */
  readonly orders: { readonly attempted: number; readonly taken: number; readonly fulfilled: number };
  readonly units: { readonly sold: number; readonly shipped: number };
  readonly oversold_units: number;
  readonly oversold_by_channel: Readonly<Record<Channel, number>>;
  /** Of the article that was discontinued. */
  readonly oversold_discontinued_units: number;
  /** Sold within the shop's figure, and mislaid in the warehouse. */
  readonly missing_units: number;
  readonly refunds_eur: number;
  /** Refused while the shop still had them, and of them those that nobody bought in the end. */
  readonly turned_away_units: number;
  readonly lost_units: number;
  readonly withdrawn_orders: number;
  readonly age_ms: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Shares of the decisions, from the youngest data to the oldest: 1 %, 2 %, to 99 %. */
  readonly age_percentiles_ms: readonly number[];
  /** Units oversold by the end of each hour of the sale. */
  readonly oversold_by_hour: readonly number[];
}

export function computeOutcome(script: Script, letter: Letter, replay: Replay): Outcome {
  const { sales, packed } = replay.shop;
  const oversold = sales.filter(({ oversold_units }) => oversold_units > 0);
  const sumOversold = (some: typeof sales): number =>
    some.reduce((sum, { oversold_units }) => sum + oversold_units, 0);
  const missing_units = packed.reduce((sum, one) => sum + one.missing_units, 0);
  const oversold_units = sumOversold(sales);
  const careful = carefulUnits(replay);
  const ages = [...replay.ages_ms].sort((a, b) => a - b);
  const hours = Math.round((script.end_ms - script.start_ms) / HOUR);
  return {
    letter,
    orders: {
      attempted: replay.attempted,
      taken: sales.length,
      fulfilled: packed.filter(({ sale, shipped_units }) => shipped_units === sale.quantity).length,
    },
    units: {
      sold: sales.reduce((sum, { quantity }) => sum + quantity, 0),
      shipped: packed.reduce((sum, one) => sum + one.shipped_units, 0),
    },
    oversold_units,
    oversold_by_channel: Object.fromEntries(
      CHANNELS.map((channel) => [channel, sumOversold(oversold.filter((sale) => sale.channel === channel))]),
    ) as Record<Channel, number>,
    oversold_discontinued_units: sumOversold(oversold.filter(({ sku }) => sku === HERO)),
    missing_units,
    refunds_eur: (oversold_units + missing_units) * REFUND_EUR,
    turned_away_units: careful.turned_away,
    lost_units: careful.lost,
    withdrawn_orders: replay.withdrawn,
    age_ms: { p50: quantile(ages, 0.5), p99: quantile(ages, 0.99), max: ages.at(-1) ?? 0 },
    age_percentiles_ms: Array.from({ length: 99 }, (_, at) => quantile(ages, (at + 1) / 100)),
    oversold_by_hour: Array.from({ length: hours }, (_, hour) =>
      sumOversold(oversold.filter(({ at_ms }) => at_ms < script.start_ms + (hour + 1) * HOUR)),
    ),
  };
}

/**
 * Turned away: units that a buyer would have paid for and was refused, though nobody had ordered the shop's last ones at
 * that moment (somebody may have held them). Lost by being too careful: those of them that nobody else ever bought.
 * Refusals are served first come, first served, from what stayed on the shelf until the end: no unit is lost twice.
 */
function carefulUnits({ shop, refusals }: Replay): { turned_away: number; lost: number } {
  let [turned_away, lost] = [0, 0];
  for (const sku of shop.skus) {
    const { history } = shop.findStock(sku);
    let counted = 0;
    for (const { at_ms, quantity } of refusals.filter((refusal) => refusal.sku === sku)) {
      const now = history.findLast((entry) => entry.at_ms <= at_ms)?.units ?? 0;
      if (now < quantity) continue;
      turned_away += quantity;
      const later = history.filter((entry) => entry.at_ms > at_ms).map(({ units }) => units);
      if (Math.min(now, ...later) - counted < quantity) continue;
      counted += quantity;
      lost += quantity;
    }
  }
  return { turned_away, lost };
}

/** Of sorted figures: the smallest that at least this share does not exceed. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export interface Summary {
  readonly letter: Letter;
  readonly seeds: number;
  readonly seeds_without_oversell: number;
  readonly oversold_units: Spread;
  readonly missing_units: Spread;
  readonly refunds_eur: Spread;
  readonly turned_away_units: Spread;
  readonly lost_units: Spread;
  readonly withdrawn_orders: Spread;
  readonly attempted_orders: Spread;
  readonly taken_orders: Spread;
  readonly fulfilled_orders: Spread;
  readonly age_p50_ms: Spread;
  readonly age_p99_ms: Spread;
}

/** One line per strategy, over all seeds. */
export function summarise(runs: readonly (readonly Outcome[])[]): Summary[] {
  return LETTERS.map((letter) => {
    const outcomes = runs.flatMap((run) => run.filter((outcome) => outcome.letter === letter));
    const spread = (figure: (outcome: Outcome) => number): Spread => computeSpread(outcomes.map(figure));
    return {
      letter,
      seeds: outcomes.length,
      seeds_without_oversell: outcomes.filter(({ oversold_units }) => oversold_units === 0).length,
      oversold_units: spread(({ oversold_units }) => oversold_units),
      missing_units: spread(({ missing_units }) => missing_units),
      refunds_eur: spread(({ refunds_eur }) => refunds_eur),
      turned_away_units: spread(({ turned_away_units }) => turned_away_units),
      lost_units: spread(({ lost_units }) => lost_units),
      withdrawn_orders: spread(({ withdrawn_orders }) => withdrawn_orders),
      attempted_orders: spread(({ orders }) => orders.attempted),
      taken_orders: spread(({ orders }) => orders.taken),
      fulfilled_orders: spread(({ orders }) => orders.fulfilled),
      age_p50_ms: spread(({ age_ms }) => age_ms.p50),
      age_p99_ms: spread(({ age_ms }) => age_ms.p99),
    };
  });
}

function computeSpread(figures: readonly number[]): Spread {
  const sorted = [...figures].sort((a, b) => a - b);
  return { min: sorted[0] ?? 0, median: quantile(sorted, 0.5), max: sorted.at(-1) ?? 0 };
}
