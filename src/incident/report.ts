/** What `simulate` shows: the same figures as a table for the terminal, as JSON, and as a page that can be printed. */

import type { Outcome, Spread, Summary } from './outcome.js';
import { REFUND_EUR } from './outcome.js';
import { agePlot, ageText, COLOURS, escaped, harmPlot, oversoldPlot } from './plots.js';
import { type Letter, STRATEGIES } from './replay.js';
import type { Script } from './script.js';

export interface Run {
  readonly seed: number;
  readonly outcomes: readonly Outcome[];
}

export interface Incident {
  /** How it can be had again. */
  readonly command: string;
  /** Of the first seed: what the plots show. */
  readonly script: Script;
  readonly runs: readonly Run[];
  readonly summaries: readonly Summary[];
}

export const HEAD = [
  'strategy',
  'oversold',
  'refunds',
  'turned away',
  'lost',
  'data age p50',
  'p99',
  'attempted',
  'taken',
  'fulfilled',
  'not on shelf',
] as const;

export const DEFINITIONS: readonly (readonly [word: string, meaning: string])[] = [
  [
    'oversold',
    'Units promised to a buyer when the shop’s own system had no such unit left to sell. Never shipped, always refunded.',
  ],
  [
    'not on shelf',
    'Units sold within the shop’s figure that the packers did not find, because of the picking error. No software that asks the shop can know; refunded as well.',
  ],
  [
    'refunds',
    `Oversold units and those not on the shelf, at ${REFUND_EUR} € a unit: a stated price, put in your own.`,
  ],
  [
    'turned away',
    'Units that a buyer would have paid for and was refused, though nobody had ordered the shop’s last ones at that moment. Somebody else may have held them.',
  ],
  [
    'lost',
    'Of those turned away, the units that nobody else bought by the end of the sale: lost by being too careful.',
  ],
  [
    'data age',
    'When an order was decided: how long ago the figure it rests on was last known to be true at the shop. The shop’s own checkout is left out.',
  ],
  [
    'attempted, taken, fulfilled',
    'Orders of all three channels: buyers who would pay; who were told yes; who got all they paid for.',
  ],
];

export const RULES: readonly string[] = [
  'Web shoppers buy at the shop’s own checkout, which looks and takes in one step. A strategy sells for the AI agents (half an hour from question to payment) and for the marketplace (minutes).',
  'Orders of agents and marketplace enter the shop paid, and it takes them whatever its stock is. Were it to refuse one, the buyer would have to be refunded all the same.',
  'The same buyers come at the same times under each strategy; what they find depends on what was sold before. Webhooks take 1 to 2 seconds; 2 % come minutes late and 2 % never.',
  '(f) is the program itself: tools, ledger, SQLite, outbox, inbox and heartbeat. Its network to the shop is simulated, its ledger is in memory, and time is virtual.',
];

/** One seed: its figures. Several: the median, and from where to where. */
export function formatCells(incident: Incident): string[][] {
  const { runs, summaries } = incident;
  const [only, ...more] = runs;
  if (only !== undefined && more.length === 0) return only.outcomes.map(cellsOfOutcome);
  return summaries.map((summary) => [
    formatName(summary.letter),
    spreadText(summary.oversold_units),
    `${summary.refunds_eur.median} €`,
    spreadText(summary.turned_away_units),
    spreadText(summary.lost_units),
    ageText(summary.age_p50_ms.median),
    ageText(summary.age_p99_ms.median),
    String(summary.attempted_orders.median),
    String(summary.taken_orders.median),
    String(summary.fulfilled_orders.median),
    spreadText(summary.missing_units),
  ]);
}

/** In how many sales nothing at all was oversold. */
export function cleanText({ letter, seeds, seeds_without_oversell }: Summary): string {
  return `${letter}: ${seeds_without_oversell} of ${seeds}`;
}

function cellsOfOutcome(outcome: Outcome): string[] {
  const { letter, oversold_units, refunds_eur, turned_away_units, lost_units, age_ms, orders } = outcome;
  return [
    formatName(letter),
    String(oversold_units),
    `${refunds_eur} €`,
    String(turned_away_units),
    String(lost_units),
    ageText(age_ms.p50),
    ageText(age_ms.p99),
    String(orders.attempted),
    String(orders.taken),
    String(orders.fulfilled),
    String(outcome.missing_units),
  ];
}

function formatName(letter: Letter): string {
  return `${letter}  ${STRATEGIES[letter].name}`;
}

function spreadText({ min, median, max }: Spread): string {
  return min === max ? String(median) : `${median} (${min} to ${max})`;
}

function leadOfOne(outcomes: readonly Outcome[]): string {
  const [worst] = outcomes;
  const holdfast = outcomes.find(({ letter }) => letter === 'f');
  return `The same six-day sale, sold in six ways. With the catalogue in their context, agents sold ${worst?.oversold_units ?? 0} units that were not there, ${worst?.oversold_discontinued_units ?? 0} of them of an article discontinued on the first day. Holdfast sold ${holdfast?.oversold_units ?? 0}.`;
}

function leadOfMany(summaries: readonly Summary[], runs: readonly Run[]): string {
  const worst = summaries.find(({ letter }) => letter === 'a')?.oversold_units;
  const ours = runs.flatMap(({ outcomes }) => outcomes.filter(({ letter }) => letter === 'f'));
  const total = ours.reduce((sum, { oversold_units }) => sum + oversold_units, 0);
  return `${runs.length} six-day sales, each sold in six ways. With the catalogue in their context, agents sold ${worst?.min ?? 0} to ${worst?.max ?? 0} units a sale that were not there. Holdfast sold ${total} in all of them together.`;
}

/** A page of its own: nothing is fetched, nothing runs, and it prints on A4. */
export function reportPage(incident: Incident): string {
  const { command, script, runs, summaries } = incident;
  const outcomes = runs[0]?.outcomes ?? [];
  const without = outcomes.filter(({ letter }) => letter !== 'a');
  const seeds = runs.length === 1 ? `seed ${script.seed}` : `${runs.length} seeds from ${script.seed}`;
  const lead = runs.length === 1 ? leadOfOne(outcomes) : leadOfMany(summaries, runs);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(`The stale-stock incident, ${seeds}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<p class="kicker">${escaped(`holdfast simulate · ${seeds}`)}</p>
<h1>Six days of selling what is no longer there</h1>
<p class="lead">${escaped(lead)}</p>
</header>
<section>
<h2>The figures</h2>
${formatTable(formatCells(incident))}
${runs.length === 1 ? '' : cleanList(summaries)}
</section>
<section>
<h2>Units oversold, hour by hour</h2>
<div class="pair">
<figure>${oversoldPlot(script, outcomes, 'All six')}</figure>
<figure>${oversoldPlot(script, without, 'Without (a), on a scale of their own')}</figure>
</div>
${runs.length === 1 ? '' : `<p class="note">${escaped(`The plots show the first sale, seed ${script.seed}.`)}</p>`}
</section>
<section>
<h2>How old the data was when an order was decided</h2>
<p class="note">Dot and first figure: half of the orders were decided on younger data. Stroke and second figure: all but one in a hundred. Broad band: the middle half. The scale is logarithmic.</p>
<figure>${agePlot(outcomes)}</figure>
</section>
<section>
<h2>Both ways to be wrong, in units</h2>
<figure>${harmPlot(outcomes)}</figure>
</section>
<section class="small">
<h2>What the words mean</h2>
<dl>${DEFINITIONS.map(([word, meaning]) => `<dt>${escaped(word)}</dt><dd>${escaped(meaning)}</dd>`).join('')}</dl>
<h2>How it is played</h2>
<ul>${RULES.map((rule) => `<li>${escaped(rule)}</li>`).join('')}</ul>
<p>Again: <code>${escaped(command)}</code></p>
</section>
</body>
</html>
`;
}

function formatTable(rows: readonly (readonly string[])[]): string {
  const head = HEAD.map((word) => `<th scope="col">${escaped(word)}</th>`).join('');
  const body = rows.map((cells) => {
    const [name = '', ...figures] = cells;
    const letter = name.charAt(0) as Letter;
    const cellsText = figures.map((figure) => `<td>${escaped(figure)}</td>`).join('');
    return `<tr${letter === 'f' ? ' class="ours"' : ''}><th scope="row"><b style="color:${COLOURS[letter]}">${escaped(letter)}</b> ${escaped(name.slice(3))}</th>${cellsText}</tr>`;
  });
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`;
}

function cleanList(summaries: readonly Summary[]): string {
  return `<p class="note">Median (from the least to the most). Sales in which nothing was oversold: ${escaped(summaries.map(cleanText).join(', '))}.</p>`;
}

const STYLE = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 36px 30px 48px; background: #fff; color: #1d2327;
  font: 15px/1.5 "Inter", "Helvetica Neue", Arial, sans-serif; font-variant-numeric: tabular-nums; }
.kicker { margin: 0; color: #5f6b73; font-size: 13px; letter-spacing: 0.03em; }
h1 { margin: 4px 0 8px; font-size: 32px; line-height: 1.15; letter-spacing: -0.015em; }
h2 { margin: 34px 0 10px; font-size: 17px; border-top: 1px solid #d9dde0; padding-top: 14px; }
.lead { margin: 0; max-width: 46em; font-size: 17px; }
.note { margin: 6px 0; color: #5f6b73; font-size: 13px; }
table { width: 100%; border-collapse: collapse; font-size: 13.5px; }
th, td { padding: 7px 8px; text-align: right; border-bottom: 1px solid #e6e9eb; font-weight: 400; }
thead th { color: #5f6b73; font-size: 12px; vertical-align: bottom; border-bottom: 1.5px solid #1d2327; }
th:first-child { text-align: left; padding-left: 0; }
tr.ours th, tr.ours td { font-weight: 700; background: #eef7f3; }
figure { margin: 0; }
svg { display: block; width: 100%; height: auto; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 20px; }
.small { font-size: 13px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; }
dt { font-weight: 700; }
dd { margin: 0; }
ul { margin: 0; padding-left: 18px; }
code { background: #f2f4f5; padding: 2px 6px; border-radius: 3px; }
@media screen and (max-width: 760px) { .pair { grid-template-columns: 1fr; } table { display: block; overflow-x: auto; } }
@page { size: A4; margin: 12mm; }
@media print {
  body { padding: 0; max-width: none; font-size: 10.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h1 { font-size: 20pt; } h2 { margin-top: 16px; } .lead { font-size: 11.5pt; }
  table { font-size: 8.5pt; } th, td { padding: 4px; } thead th { font-size: 8pt; }
  section { break-inside: avoid; } .small { font-size: 8.5pt; }
}
`;
