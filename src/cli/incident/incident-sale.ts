/** One sale of the incident, played in all ways of selling. */

import { makeIds } from '../../app/ids.js';
import { ledgerSettings } from '../../app/open-app.js';
import { LIMITS, readConfig } from '../../config/config.js';
import type { HoldfastParts } from '../../incident/holdfast-strategy.js';
import { computeOutcome, type Outcome } from '../../incident/outcome.js';
import { LETTERS, replay } from '../../incident/replay.js';
import { writeScript } from '../../incident/script.js';

/** Settings and limits of the program as it comes, whatever the environment says. */
export function holdfastParts(): HoldfastParts {
  const config = readConfig({});
  const { heartbeat_ms, lookup_wait_ms } = config;
  return {
    settings: ledgerSettings(config),
    ids: makeIds(),
    heartbeat_ms,
    store: LIMITS.store,
    sync: { ...LIMITS.sync, lease_ms: heartbeat_ms * LIMITS.sync.lease_beats, pulse_ms: heartbeat_ms },
    outbox: { ...LIMITS.outbox, lookup_wait_ms },
    inbox: LIMITS.inbox,
  };
}

export async function playSale(seed: number): Promise<Outcome[]> {
  const parts = holdfastParts();
  const script = writeScript(seed);
  const outcomes: Outcome[] = [];
  for (const letter of LETTERS)
    outcomes.push(computeOutcome(script, letter, await replay(script, letter, parts)));
  return outcomes;
}
