/** What a seed means: the settings of a story, and the actions that happen in it. Drawn up front, so that it can be shortened. */

import { Dice } from './dice.js';

export const MIRRORS = ['draft_order', 'move', 'none'] as const;
/** Where the shop takes the units of drafts and orders: the merchant's choice, or another one each time. */
export const ROUTINGS = ['lowest_id', 'preferred', 'in_stock', 'split', 'any'] as const;

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
  readonly routing: (typeof ROUTINGS)[number];
  /** What agents, tills and the web shop sell. */
  readonly skus: readonly string[];
  /** How many units of each SKU are where at the beginning. */
  readonly stock: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Whether the shop tells of what has changed. */
  readonly webhooks: boolean;
  /** The share of orders that come when somebody else is buying the same. */
  readonly beside: number;
  /** Whether who buys beside an order takes from the shelf, whatever drafts hold it. */
  readonly shelf: boolean;
  /** Whether the program limits what one agent may hold. Where it does, that may be all that hides another fault of it. */
  readonly quotas: boolean;
  /** Placed orders are moved to the places that promised their units. */
  readonly routes: boolean;
  /** Whether anybody buys in the end. */
  readonly buys: boolean;
  /** The share of orders with a detail of the buyer that the shop refuses. */
  readonly refused: number;
  /** Whether buyers pay at a link. */
  readonly offers: boolean;
  /** Whether the servers' wall clock is hours ahead from the beginning. */
  readonly ahead: boolean;
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

/** The same few, at both. */
const SPREAD: Story['stock'] = {
  ...STOCK,
  LAMP: { [WAREHOUSE]: 1, [STORE]: 2 },
  CAP: { [WAREHOUSE]: 2, [STORE]: 3 },
};

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
  draft_edit: 3,
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
  edit_at_once: 0,
  lost_completion: 0,
  shelf: 0,
  restore: 0,
} as const;

export type ActionKind = keyof typeof WEIGHTS;

/** A story about one thing: the same chance, and fewer kinds of actions. What is left out is drawn from the seed. */
interface Theme {
  readonly weights: Partial<Record<ActionKind, number>>;
  readonly mirror?: Story['mirror'];
  readonly servers?: Story['servers'];
  /** Units at several locations, as the shop likes. */
  readonly stock?: Story['stock'];
  readonly webhooks?: boolean;
  readonly skus?: readonly string[];
  readonly beside?: number;
  readonly shelf?: boolean;
  readonly quotas?: boolean;
  /** Whether placed orders are moved to the places that promised their units, in every second story. */
  readonly routes?: boolean;
  readonly buys?: boolean;
  readonly refused?: number;
  /** Whether the ledger is put back to a copy of it, once at least; and whether buyers pay at a link, in some stories. */
  readonly restores?: boolean;
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
  /** Articles at several locations, which the shop draws from as it likes. */
  routing: {
    weights: { agent: 55, rush: 5, till: 15, web_order: 10, receipt: 10, ship: 5 },
    mirror: 'draft_order',
    skus: ['MUG', 'LAMP', 'CAP'],
    stock: SPREAD,
    routes: true,
  },
  /** People in the shop's admin who change our drafts. */
  staff_edits: {
    weights: { agent: 52, draft_edit: 13, edit_at_once: 16, lost_completion: 10, till: 5, lost_answer: 4 },
    mirror: 'draft_order',
    skus: ['SCARF', 'CAP', 'MUG'],
  },
  /** A till that sells between two heartbeats what lies on the shelf, whatever drafts hold it, and no webhook that tells of it. */
  till_between_beats: {
    weights: { agent: 60, till: 10, shelf: 20, receipt: 10 },
    mirror: 'draft_order',
    skus: ['SCARF', 'CAP', 'LAMP'],
    beside: 0.7,
    shelf: true,
    webhooks: false,
  },
  /** Answers that are long under way, while others overtake them. */
  slow_reads: { weights: { agent: 60, rush: 10, slow_reads: 30 }, mirror: 'draft_order', servers: 2 },
  /** A ledger that is put back to a copy: from a backup, or with a snapshot of its machine. The shop goes on as it was. */
  restored_ledger: {
    weights: {
      agent: 62,
      rush: 5,
      till: 8,
      web_order: 4,
      receipt: 9,
      cancel: 3,
      lost_answer: 4,
      kill: 4,
      restore: 1,
    },
    restores: true,
  },
  /** E-mail addresses that the shop refuses: corrected, sent again as they were, or left alone. */
  refused_details: { weights: { agent: 75, till: 10, lost_answer: 15 }, refused: 0.6 },
} as const satisfies Record<string, Theme>;

export type ThemeName = keyof typeof THEMES;

/** How far a wall clock is ahead that is wrong. */
export const AHEAD_MS = 4 * 3_600_000;
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
    shelf = false,
    quotas = true,
    routes = false,
    buys = true,
    stock = STOCK,
    webhooks = true,
    refused = 0,
    restores = false,
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
  const routing = dice.of(ROUTINGS);
  if (restores) {
    // Late enough for something to be there, and early enough for something to come after it.
    const place = dice.between(Math.floor(count / 8), Math.floor(count / 2));
    const action = actions[place];
    if (action !== undefined) actions[place] = { ...action, kind: 'restore' };
  }
  const offers = restores && drawn.mirror !== 'move' && dice.chance(0.4);
  const ahead = restores && dice.chance(0.25);
  return {
    seed,
    theme,
    mirror: mirror ?? drawn.mirror,
    servers: servers ?? drawn.servers,
    routing,
    stock,
    webhooks,
    skus,
    beside,
    shelf,
    quotas,
    routes: routes && seed % 2 === 0,
    buys,
    refused,
    offers,
    ahead,
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
