/** From a long story with something wrong in it to a short one with the same thing wrong. */

import type { Program } from './program.js';
import type { Story } from './story.js';
import { type Telling, tell } from './world.js';

export interface Shrunk {
  readonly telling: Telling;
  /** Which of the seed's actions are left, by their place. */
  readonly kept: readonly number[];
  readonly runs: number;
}

/** The story with only these of its actions. */
export function keeping(story: Story, kept: readonly number[]): Story {
  const places = new Set(kept);
  return { ...story, actions: story.actions.filter((_, place) => places.has(place)) };
}

/**
 * Leaves out runs of actions, longer ones first, for as long as the same check still objects, and one server where one
 * is enough. Gives up looking for still shorter ones after `runs_max` stories.
 */
export async function shrink(
  program: Program,
  story: Story,
  found: Telling,
  runs_max: number,
): Promise<Shrunk> {
  const wanted = found.violation?.check;
  let telling = found;
  let kept = story.actions.map((_, place) => place);
  let runs = 0;
  for (
    let length = Math.ceil(kept.length / 2);
    length >= 1;
    length = length === 1 ? 0 : Math.ceil(length / 2)
  ) {
    for (let from = 0; from < kept.length && runs < runs_max; ) {
      const fewer = [...kept.slice(0, from), ...kept.slice(from + length)];
      runs += 1;
      const shorter = await tell(program, keeping(story, fewer));
      if (shorter.violation?.check === wanted) {
        telling = shorter;
        kept = fewer;
      } else {
        from += length;
      }
    }
  }
  return { telling, kept, runs };
}
