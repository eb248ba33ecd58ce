/** What a seed means: the settings of a story, and the actions that happen in it. Drawn up front, so that it can be shortened. */

import { Dice } from './dice.js';

export const MIRRORS = ['draft_order', 'move', 'none'] as const;

/** Each has dice of its own: to leave one out changes what another does only through what it does to the world. */
export interface Action {
  readonly at_ms: number;
  readonly kind: ActionKind;
  readonly seed: number;
}

export interface Story {
  readonly seed: number;
  readonly theme: ThemeName;
  readonly mirror: (typeof MIRRORS)[number];
  readonly servers: 1 | 2;
  /** What agents, tills and the web shop sell. */
  readonly skus: readonly string[];
  /** The share of orders that come when somebody else is buying the same. */
  readonly beside: number;
  /** Whether the program limits what one agent may hold. Where it does, that may be all that hides another fault of it. */
  readonly quotas: boolean;
  /** Whether anybody buys in the end. */
  readonly buys: boolean;
  readonly actions: readonly Action[];
}

export const WAREHOUSE = 'Warehouse';
export const STORE = 'Store';
/** How many units of each SKU are where at the beginning. Most are scarce, so that many want the last one. */
export const STOCK: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  COAT: { [WAREHOUSE]: 1 },
  SCARF: { [WAREHOUSE]: 3 },
  LAMP: { [STORE]: 4 },
  CAP: { [WAREHOUSE]: 6 },
  MUG: { [WAREHOUSE]: 4, [STORE]: 3 },
  BOOK: { [WAREHOUSE]: 25 },
};
export const SKUS = Object.keys(STOCK);

/** How often each kind comes up in a story of everything, relative to the others. */
const WEIGHTS = {
  agent: 34,
  rush: 4,
  till: 9,
  web_order: 5,
  receipt: 6,
  loss: 2,
  ship: 3,
  cancel: 4,
  draft_by_hand: 3,
  lifecycle: 2,
  shop_fault: 14,
  shop_slow: 4,
  outage: 2,
  weather: 4,
  search_lag: 2,
  kill: 9,
  disk_full: 3,
  disk_busy: 4,
  clock: 4,
  reconcile: 2,
  // Only in stories with a theme.
  lost_answer: 0,
  blackout: 0,
  slow_reads: 0,
  late_news: 0,
  full_at_commit: 0,
} as const;

export type ActionKind = keyof typeof WEIGHTS;

/** A story about one thing: the same chance, and fewer kinds of actions. What is left out is drawn from the seed. */
interface Theme {
  readonly weights: Partial<Record<ActionKind, number>>;
  readonly mirror?: Story['mirror'];
  readonly servers?: Story['servers'];
  readonly skus?: readonly string[];
  readonly beside?: number;
  readonly quotas?: boolean;
  readonly buys?: boolean;
}

export const THEMES = {
  everything: { weights: WEIGHTS },
  /** One article that sells everywhere all the time: what was true a moment ago is not any more. */
  bestseller: {
    weights: { agent: 70, receipt: 30 },
    mirror: 'none',
    servers: 1,
    skus: ['BOOK'],
    beside: 1,
  },
  /** The last few, sold at the till while agents think about them. */
  last_few: { weights: { agent: 60, till: 25, receipt: 15 }, mirror: 'none', skus: ['SCARF', 'CAP', 'LAMP'] },
  /** Webhooks that tell of yesterday. */
  late_news: { weights: { agent: 30, till: 40, receipt: 20, late_news: 10 }, mirror: 'none' },
  /** Drafts whose making is not heard of. */
  lost_drafts: {
    weights: { agent: 70, lost_answer: 30 },
    mirror: 'draft_order',
    skus: ['BOOK', 'CAP', 'MUG'],
  },
  /** Orders whose making is not heard of. */
  lost_orders: { weights: { agent: 70, lost_answer: 30 }, mirror: 'move', skus: ['BOOK', 'CAP', 'MUG'] },
  /** Many reserve, and nobody buys. */
  undecided: { weights: { agent: 90, till: 10 }, mirror: 'draft_order', buys: false },
  /** Two servers that want to write at the same time. */
  crowded: {
    weights: { rush: 55, disk_busy: 45 },
    servers: 2,
    skus: ['CAP', 'MUG', 'LAMP'],
    quotas: false,
  },
  /** No room when it is to become durable. */
  full_disk: { weights: { agent: 65, disk_full: 10, full_at_commit: 25 } },
  /** The wall clock is set, again and again. */
  clocks: { weights: { agent: 70, clock: 30 } },
  /** Nothing is heard of the shop for minutes. */
  blackout: { weights: { agent: 90, blackout: 10 } },
  /** Answers that are long under way, while others overtake them. */
  slow_reads: { weights: { agent: 60, rush: 10, slow_reads: 30 }, mirror: 'draft_order', servers: 2 },
} as const satisfies Record<string, Theme>;

export type ThemeName = keyof typeof THEMES;

/** How long things happen, before everything comes to rest. */
export const STORM_MS = 5 * 60_000;
/** Servers read the shop for the first time before anybody comes. */
const QUIET_MS = 3_000;
const BESIDE_SHARE = 0.25;
const ACTIONS_MIN = 40;
const ACTIONS_MAX = 90;

export function storyOf(seed: number, theme: ThemeName = 'everything'): Story {
  const {
    weights,
    mirror,
    servers,
    skus = SKUS,
    beside = BESIDE_SHARE,
    quotas = true,
    buys = true,
  }: Theme = THEMES[theme];
  const dice = new Dice(seed * 2_654_435_761);
  const count = dice.between(ACTIONS_MIN, ACTIONS_MAX);
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const actions = Array.from({ length: count }, (): Action => {
    const at_ms = dice.between(QUIET_MS, STORM_MS);
    return { at_ms, kind: kindOf(weights, dice.between(1, total)), seed: dice.between(0, 2 ** 31) };
  });
  actions.sort((a, b) => a.at_ms - b.at_ms);
  const drawn = { mirror: dice.of(MIRRORS), servers: dice.chance(0.6) ? 2 : 1 } as const;
  return {
    seed,
    theme,
    mirror: mirror ?? drawn.mirror,
    servers: servers ?? drawn.servers,
    skus,
    beside,
    quotas,
    buys,
    actions,
  };
}

function kindOf(weights: Theme['weights'], drawn: number): ActionKind {
  let left = drawn;
  for (const [kind, weight] of Object.entries(weights)) {
    left -= weight;
    if (left <= 0) return kind as ActionKind;
  }
  throw new Error('drawn beyond the weights');
}
