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
  readonly mirror: (typeof MIRRORS)[number];
  readonly servers: 1 | 2;
  readonly actions: readonly Action[];
}

/** How often each kind comes up, relative to the others. */
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
} as const;

export type ActionKind = keyof typeof WEIGHTS;

const TOTAL = Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0);

/** How long things happen, before everything comes to rest. */
export const STORM_MS = 5 * 60_000;
/** Servers read the shop for the first time before anybody comes. */
const QUIET_MS = 3_000;
const ACTIONS_MIN = 40;
const ACTIONS_MAX = 90;

export function storyOf(seed: number): Story {
  const dice = new Dice(seed * 2_654_435_761);
  const count = dice.between(ACTIONS_MIN, ACTIONS_MAX);
  const actions = Array.from({ length: count }, (): Action => {
    const at_ms = dice.between(QUIET_MS, STORM_MS);
    return { at_ms, kind: kindOf(dice.between(1, TOTAL)), seed: dice.between(0, 2 ** 31) };
  });
  actions.sort((a, b) => a.at_ms - b.at_ms);
  return { seed, mirror: dice.of(MIRRORS), servers: dice.chance(0.6) ? 2 : 1, actions };
}

function kindOf(drawn: number): ActionKind {
  let left = drawn;
  for (const [kind, weight] of Object.entries(WEIGHTS)) {
    left -= weight;
    if (left <= 0) return kind as ActionKind;
  }
  throw new Error('drawn beyond the weights');
}
