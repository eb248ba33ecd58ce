/**
 * What the six days bring, drawn from the seed before anything is sold: who comes, when, to which channel, for what, how
 * long they talk, and what happens in the warehouse. Every strategy is played against the same script.
 */

import { Chance } from './chance.js';

export const CHANNELS = ['web', 'agent', 'marketplace'] as const;
export type Channel = (typeof CHANNELS)[number];

export interface Buyer {
  readonly id: number;
  readonly channel: Channel;
  readonly sku: string;
  readonly quantity: number;
  /** Asks what there is; */
  readonly asks_at_ms: number;
  /** wants it; */
  readonly decides_at_ms: number;
  /** and pays, or doesn't. */
  readonly pays_at_ms: number;
  readonly converts: boolean;
  /** Of those who do not pay: whether they say so, or are just gone. */
  readonly says_goodbye: boolean;
  /** Sends the parcel back. */
  readonly returns: boolean;
}

export interface Article {
  readonly sku: string;
  readonly title: string;
  readonly stock_units: number;
}

export type Happening =
  /** Archived in the shop and carted off: what no order is waiting for is gone. */
  | { readonly kind: 'discontinued'; readonly at_ms: number; readonly sku: string }
  /** Units of one article land in the bin of another. The shop's figures do not notice. */
  | {
      readonly kind: 'mispicked';
      readonly at_ms: number;
      readonly sku: string;
      readonly into_sku: string;
      readonly units: number;
    }
  | { readonly kind: 'flash_sale'; readonly at_ms: number; readonly skus: readonly string[] }
  /** Somebody counts these shelves, and the shop's figures are put right. */
  | { readonly kind: 'recounted'; readonly at_ms: number; readonly skus: readonly string[] };

export interface Script {
  readonly seed: number;
  readonly start_ms: number;
  readonly end_ms: number;
  readonly articles: readonly Article[];
  readonly buyers: readonly Buyer[];
  readonly happenings: readonly Happening[];
}

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const DAYS = 6;
/** A Monday, at midnight. */
export const START_MS = Date.UTC(2026, 10, 23);

/** The one that is discontinued and goes on being recommended. */
export const HERO = 'DRESS-LINEN-M';
const MISPICKED = 'BELT-LEATHER-85';
const MISPICKED_INTO = 'BELT-LEATHER-95';
const FLASH = ['KNIT-MERINO-S', 'KNIT-MERINO-M', 'KNIT-MERINO-L'];
const BASICS = ['TEE-S', 'TEE-L', 'JEANS-30', 'JEANS-34', 'SHIRT-M', 'SKIRT-M', 'SCARF', 'CAP'];

/** Buyers a day, by channel; stock when the sale begins. */
interface Demand {
  readonly a_day: Readonly<Record<Channel, number>>;
  readonly stock_units: number;
}

const DEMAND_OF_BASIC: Demand = { a_day: { web: 5, agent: 3, marketplace: 2 }, stock_units: 54 };
const DEMAND: Readonly<Record<string, Demand>> = {
  [HERO]: { a_day: { web: 6, agent: 36, marketplace: 28 }, stock_units: 80 },
  [MISPICKED]: { a_day: { web: 4, agent: 4, marketplace: 4 }, stock_units: 26 },
  [MISPICKED_INTO]: { a_day: { web: 2, agent: 2, marketplace: 1 }, stock_units: 60 },
};
const DEMAND_OF_FLASH: Demand = { a_day: { web: 2, agent: 2, marketplace: 1 }, stock_units: 50 };
/** Buyers that the flash sale brings for each of its articles, within the hour. */
const FLASH_BUYERS: Readonly<Record<Channel, number>> = { web: 35, agent: 35, marketplace: 25 };

/** Of a hundred buyers of each channel who want it, so many pay. */
const CONVERTS: Readonly<Record<Channel, number>> = { web: 0.8, agent: 0.7, marketplace: 0.9 };
const RETURNS = 0.12;
const SAYS_GOODBYE = 0.5;

/** Shoppers by the hour of the day, in proportion. */
const BY_HOUR = [1, 1, 0, 0, 0, 1, 2, 4, 6, 8, 9, 9, 10, 10, 9, 9, 9, 10, 11, 13, 14, 12, 7, 3];

export function writeScript(seed: number): Script {
  const skus = [HERO, MISPICKED, MISPICKED_INTO, ...FLASH, ...BASICS];
  const articles = skus.map((sku) => ({
    sku,
    title: formatTitle(sku),
    stock_units: demandFor(sku).stock_units + new Chance(seed, 'stock', sku).whole(-8, 8),
  }));
  const happenings = writeHappenings(seed);
  const flash_at_ms = happenings.find(({ kind }) => kind === 'flash_sale')?.at_ms ?? START_MS;
  const visits = [
    ...skus.flatMap((sku) => CHANNELS.flatMap((channel) => everyday(seed, sku, channel))),
    ...FLASH.flatMap((sku) => CHANNELS.flatMap((channel) => flashVisits(seed, sku, channel, flash_at_ms))),
  ].sort((a, b) => a.asks_at_ms - b.asks_at_ms);
  const buyers = visits.map((visit, id) => createBuyer(seed, visit, id));
  return { seed, start_ms: START_MS, end_ms: START_MS + DAYS * DAY, articles, buyers, happenings };
}

function writeHappenings(seed: number): Happening[] {
  const chance = new Chance(seed, 'happenings');
  const at = (day: number, hour: number, spread_ms: number): number =>
    Math.floor(START_MS + day * DAY + hour * HOUR + chance.between(0, spread_ms));
  return [
    { kind: 'discontinued', at_ms: at(0, 11, 4 * HOUR), sku: HERO },
    {
      kind: 'mispicked',
      at_ms: at(1, 9, 2 * HOUR),
      sku: MISPICKED,
      into_sku: MISPICKED_INTO,
      units: chance.whole(2, 4),
    },
    { kind: 'flash_sale', at_ms: at(2, 18, 2 * HOUR), skus: FLASH },
    { kind: 'recounted', at_ms: at(4, 14, 2 * HOUR), skus: [MISPICKED, MISPICKED_INTO] },
  ];
}

interface Visit {
  readonly sku: string;
  readonly channel: Channel;
  readonly asks_at_ms: number;
}

function everyday(seed: number, sku: string, channel: Channel): Visit[] {
  const chance = new Chance(seed, 'visits', sku, channel);
  const a_day = demandFor(sku).a_day[channel];
  const peak = Math.max(...BY_HOUR);
  const visits: Visit[] = [];
  // Thinning: visitors at the pace of the busiest hour, of whom each stays with the share of its own hour.
  const gap_ms = (DAY / a_day) * (BY_HOUR.reduce((sum, share) => sum + share, 0) / (24 * peak));
  const end_ms = START_MS + DAYS * DAY;
  for (let at = START_MS; ; ) {
    at += -Math.log(1 - chance.next()) * gap_ms;
    if (at >= end_ms) return visits;
    const hour = Math.floor((at % DAY) / HOUR);
    if (chance.is((BY_HOUR[hour] ?? 0) / peak)) visits.push({ sku, channel, asks_at_ms: Math.floor(at) });
  }
}

/** Most come in the first minutes. */
function flashVisits(seed: number, sku: string, channel: Channel, flash_at_ms: number): Visit[] {
  const chance = new Chance(seed, 'flash', sku, channel);
  return Array.from({ length: FLASH_BUYERS[channel] }, () => ({
    sku,
    channel,
    asks_at_ms: Math.floor(flash_at_ms + Math.min(-Math.log(1 - chance.next()) * 12 * MINUTE, HOUR)),
  }));
}

function createBuyer(seed: number, visit: Visit, id: number): Buyer {
  const { sku, channel, asks_at_ms } = visit;
  const chance = new Chance(seed, 'buyer', id);
  const talk_ms = drawTalkTime(channel, chance);
  const draws = {
    quantity: chance.is(0.12),
    converts: chance.next(),
    says: chance.next(),
    returns: chance.next(),
  };
  return {
    id,
    channel,
    sku,
    quantity: draws.quantity ? 2 : 1,
    asks_at_ms,
    decides_at_ms: Math.floor(asks_at_ms + talk_ms * chance.between(0.3, 0.8)),
    pays_at_ms: Math.floor(asks_at_ms + talk_ms),
    converts: draws.converts < CONVERTS[channel],
    says_goodbye: draws.says < SAYS_GOODBYE,
    returns: draws.returns < RETURNS,
  };
}

/** From the first question to the money: half an hour with an agent, minutes elsewhere. */
function drawTalkTime(channel: Channel, chance: Chance): number {
  switch (channel) {
    case 'agent':
      return Math.min(Math.max(chance.around(30 * MINUTE, 0.5), 5 * MINUTE), 2 * HOUR);
    case 'marketplace':
      return Math.min(Math.max(chance.around(4 * MINUTE, 0.6), MINUTE), 20 * MINUTE);
    case 'web':
      return Math.min(Math.max(chance.around(6 * MINUTE, 0.6), MINUTE), 30 * MINUTE);
  }
}

function demandFor(sku: string): Demand {
  return DEMAND[sku] ?? (FLASH.includes(sku) ? DEMAND_OF_FLASH : DEMAND_OF_BASIC);
}

function formatTitle(sku: string): string {
  const [kind = '', ...rest] = sku.toLowerCase().split('-');
  return [kind.charAt(0).toUpperCase() + kind.slice(1), ...rest].join(' ');
}
