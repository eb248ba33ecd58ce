/** `holdfast simulate`: the stale-stock incident, played against six ways of selling, from the same seed. */

import { writeFileSync } from 'node:fs';
import { ConfigError, LIMITS, readConfig } from '../config.js';
import { makeIds } from '../ids.js';
import type { HoldfastParts } from '../incident/holdfast-strategy.js';
import { type Outcome, outcomeOf, summarise } from '../incident/outcome.js';
import { LETTERS, replay } from '../incident/replay.js';
import {
  cellsOf,
  cleanText,
  DEFINITIONS,
  HEAD,
  type Incident,
  type Run,
  reportPage,
} from '../incident/report.js';
import { writeScript } from '../incident/script.js';
import { ledgerSettings } from '../main.js';
import { type Side, tableLines } from './table.js';

export interface SimulateOptions {
  readonly seed: number;
  /** Sales, of this seed and those after it. */
  readonly seeds: number;
  readonly html?: string;
  readonly json: boolean;
}

/** False when Holdfast has oversold a unit in any sale. */
export async function simulate(options: SimulateOptions): Promise<boolean> {
  const { seed, seeds, html, json } = options;
  // Before the work: a report that can't be written is better known now than in some minutes.
  if (html !== undefined) beginFile(html);
  const parts = holdfastParts();
  const runs: Run[] = [];
  for (let n = 0; n < seeds; n += 1) {
    if (!json) tell(`… sale ${n + 1} of ${seeds}, seed ${seed + n}`);
    runs.push({ seed: seed + n, outcomes: await playSeed(seed + n, parts) });
  }
  const command = `holdfast simulate --seed ${seed}${seeds === 1 ? '' : ` --seeds ${seeds}`}`;
  const summaries = summarise(runs.map(({ outcomes }) => outcomes));
  const incident: Incident = { command, script: writeScript(seed), runs, summaries };
  if (html !== undefined) writeFileSync(html, reportPage(incident));
  if (json) console.log(JSON.stringify({ command, runs, summaries }, null, 2));
  else print(incident, html);
  return runs.every(({ outcomes }) =>
    outcomes.every((one) => one.letter !== 'f' || one.oversold_units === 0),
  );
}

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

export async function playSeed(seed: number, parts: HoldfastParts): Promise<Outcome[]> {
  const script = writeScript(seed);
  const outcomes: Outcome[] = [];
  for (const letter of LETTERS) outcomes.push(outcomeOf(script, letter, await replay(script, letter, parts)));
  return outcomes;
}

function print(incident: Incident, html: string | undefined): void {
  const { command, runs, summaries } = incident;
  const sides: Side[] = HEAD.map((_, column) => (column === 0 ? 'left' : 'right'));
  console.log('The stale-stock incident: one sale of six days, three channels, sold in six ways.\n');
  for (const line of tableLines(HEAD, cellsOf(incident), sides)) console.log(line);
  if (runs.length > 1) {
    console.log('\nMedian (from the least to the most). Sales in which nothing was oversold:');
    console.log(`  ${summaries.map(cleanText).join('   ')}`);
  }
  console.log('');
  for (const [word, meaning] of DEFINITIONS) console.log(`${word}: ${meaning}`);
  console.log(`\nAgain: ${command}${html === undefined ? '' : `\nReport: ${html}`}`);
}

function beginFile(path: string): void {
  try {
    writeFileSync(path, '');
  } catch {
    throw new ConfigError(
      `--html can't write ${path}: give a file in a folder that exists and that you may write to.`,
    );
  }
}

/** How far it is, on stderr: what is printed stays the result alone. */
function tell(line: string): void {
  console.error(line);
}
