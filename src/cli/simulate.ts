/** `holdfast simulate`: the stale-stock incident, played against six ways of selling, from the same seed. */

import { writeFileSync } from 'node:fs';
import { ConfigError } from '../config/config-error.js';
import { summarise } from '../incident/outcome.js';
import { cleanText, DEFINITIONS, formatCells, HEAD, type Incident, reportPage } from '../incident/report.js';
import { writeScript } from '../incident/script.js';
import { playSales } from './incident/incident-crew.js';
import { type Side, tableLines } from './terminal/table.js';

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
  const runs = await playSales(
    Array.from({ length: seeds }, (_, n) => seed + n),
    (n) => {
      if (!json) tell(`… sale ${n + 1} of ${seeds}, seed ${seed + n}`);
    },
  );
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

function print(incident: Incident, html: string | undefined): void {
  const { command, runs, summaries } = incident;
  const sides: Side[] = HEAD.map((_, column) => (column === 0 ? 'left' : 'right'));
  console.log('The stale-stock incident: one sale of six days, three channels, sold in six ways.\n');
  for (const line of tableLines(HEAD, formatCells(incident), sides)) console.log(line);
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
