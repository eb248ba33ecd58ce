/**
 * The pictures of the report, drawn as SVG: no script, nothing fetched, and every series named where it is drawn. Colours
 * are the colour-blind safe set of Okabe and Ito, darkened where they would not stand out from white paper.
 */

import type { Outcome } from './outcome.js';
import { type Letter, STRATEGIES } from './replay.js';
import { DAY, HOUR, MINUTE, type Script, SECOND } from './script.js';

export const COLOURS: Readonly<Record<Letter, string>> = {
  a: '#c1440e',
  b: '#b37400',
  c: '#8a4f7d',
  d: '#5b6770',
  e: '#2b7bba',
  f: '#007a56',
};

const INK = '#1d2327';
const FAINT = '#d9dde0';
const SOFT = '#5f6b73';

/** Text may hold anything: it is shown, never read as markup. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

interface TextStyle {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly fill?: string;
  readonly size?: number;
  readonly weight?: number;
}

function text(x: number, y: number, words: string, style: TextStyle = {}): string {
  const { anchor = 'start', fill = INK, size = 12, weight = 400 } = style;
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}" fill="${fill}" font-size="${size}" font-weight="${weight}">${escaped(words)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, stroke: string, extra = ''): string {
  return `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" stroke="${stroke}" ${extra}/>`;
}

function at(figure: number): string {
  return String(Math.round(figure * 10) / 10);
}

function svg(width: number, height: number, label: string, parts: readonly string[]): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(label)}" font-family="inherit">${parts.join('')}</svg>`;
}

/** Where a label goes, so that none is upon another: in order, pushed apart where they are too close. */
function spreadOut(wanted: readonly number[], gap: number, max: number): number[] {
  const order = wanted.map((y, index) => ({ y, index })).sort((one, other) => one.y - other.y);
  const placed: number[] = [];
  for (const [n, { y }] of order.entries()) placed.push(Math.max(y, (placed[n - 1] ?? -Infinity) + gap));
  const over = Math.max(0, (placed.at(-1) ?? 0) - max);
  if (over > 0) {
    for (let n = placed.length - 1, limit = max; n >= 0; n -= 1, limit -= gap)
      placed[n] = Math.min(placed[n] ?? 0, limit);
  }
  const result: number[] = [];
  for (const [n, { index }] of order.entries()) result[index] = placed[n] ?? 0;
  return result;
}

/** Rounds up to 1, 2 or 5 times a power of ten, so that an axis of four steps has round figures. */
function niceStep(max: number): number {
  const raw = Math.max(max, 4) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  return (
    ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw && Number.isInteger(factor * power)) ?? 10) *
    power
  );
}

const HAPPENED: Readonly<Record<Script['happenings'][number]['kind'], string>> = {
  discontinued: 'discontinued',
  mispicked: 'picking error',
  flash_sale: 'flash sale',
  recounted: 'recount',
};

/** Units oversold since the start, hour by hour. */
export function oversoldPlot(script: Script, outcomes: readonly Outcome[], title: string): string {
  const [width, height] = [520, 330];
  const box = { left: 44, right: width - 164, top: 62, bottom: height - 34 };
  const hours = (script.end_ms - script.start_ms) / HOUR;
  const highest = Math.max(...outcomes.map(({ oversold_units }) => oversold_units), 1);
  const step = niceStep(highest);
  const top = Math.ceil(highest / step) * step;
  const x = (hour: number): number => box.left + (hour / hours) * (box.right - box.left);
  const y = (units: number): number => box.bottom - (units / top) * (box.bottom - box.top);
  const parts: string[] = [text(0, 14, title, { weight: 600, size: 13 })];
  for (let units = 0; units <= top; units += step) {
    parts.push(line(box.left, y(units), box.right, y(units), units === 0 ? SOFT : FAINT));
    parts.push(text(box.left - 6, y(units) + 4, String(units), { anchor: 'end', fill: SOFT, size: 11 }));
  }
  for (let day = 0; day < hours / 24; day += 1)
    parts.push(
      text(x(day * 24 + 12), box.bottom + 18, `day ${day + 1}`, { anchor: 'middle', fill: SOFT, size: 11 }),
    );
  for (const [n, happening] of script.happenings.entries()) {
    const where = x((happening.at_ms - script.start_ms) / HOUR);
    parts.push(line(where, box.top - 6, where, box.bottom, SOFT, 'stroke-dasharray="2 3"'));
    // Every other one a line higher: they may be close.
    const high = box.top - (n % 2 === 0 ? 12 : 26);
    parts.push(text(where, high, HAPPENED[happening.kind], { anchor: 'middle', fill: SOFT, size: 11 }));
  }
  const ends = spreadOut(
    outcomes.map(({ oversold_units }) => y(oversold_units)),
    15,
    box.bottom + 12,
  );
  for (const [n, { letter, oversold_by_hour, oversold_units }] of outcomes.entries()) {
    const points = [0, ...oversold_by_hour].map((units, hour) => `${at(x(hour))},${at(y(units))}`).join(' ');
    const stroke = `stroke="${COLOURS[letter]}" stroke-width="${letter === 'f' ? 3 : 2}"`;
    parts.push(`<polyline points="${points}" fill="none" ${stroke} stroke-linejoin="round"/>`);
    const label = `${letter}  ${STRATEGIES[letter].short} ${oversold_units}`;
    const end = ends[n] ?? 0;
    parts.push(line(box.right, y(oversold_units), box.right + 8, end, COLOURS[letter]));
    parts.push(text(box.right + 11, end + 4, label, { fill: COLOURS[letter], size: 11, weight: 600 }));
  }
  return svg(width, height, title, parts);
}

/** Ticks of the axis of ages, from a tenth of a second to six days. */
const AGE_TICKS: readonly (readonly [ms: number, label: string])[] = [
  [100, '0.1 s'],
  [SECOND, '1 s'],
  [10 * SECOND, '10 s'],
  [MINUTE, '1 min'],
  [10 * MINUTE, '10 min'],
  [HOUR, '1 h'],
  [DAY, '1 day'],
  [6 * DAY, '6 days'],
];

/** How old the data was on which orders were decided: the middle of each strategy, and all but the last in a hundred. */
export function agePlot(outcomes: readonly Outcome[]): string {
  const row = 40;
  const [width, top] = [1060, 12];
  const box = { left: 200, right: width - 150, bottom: top + outcomes.length * row };
  const [least, most] = [Math.log(50), Math.log(6 * DAY)];
  const x = (ms: number): number =>
    box.left + ((Math.log(Math.max(ms, 50)) - least) / (most - least)) * (box.right - box.left);
  const parts: string[] = [];
  for (const [ms, label] of AGE_TICKS) {
    parts.push(line(x(ms), top, x(ms), box.bottom, FAINT));
    parts.push(text(x(ms), box.bottom + 18, label, { anchor: 'middle', fill: SOFT, size: 12 }));
  }
  for (const [n, { letter, age_ms, age_percentiles_ms }] of outcomes.entries()) {
    const y = top + n * row + row / 2;
    const colour = COLOURS[letter];
    const young = age_percentiles_ms[0] ?? 0;
    const quarter = age_percentiles_ms[24] ?? 0;
    const late = age_percentiles_ms[74] ?? 0;
    parts.push(formatName(letter, y));
    parts.push(line(x(young), y, x(age_ms.p99), y, colour, 'stroke-width="2"'));
    parts.push(line(x(quarter), y, x(late), y, colour, 'stroke-width="9" stroke-opacity="0.35"'));
    parts.push(line(x(age_ms.p99), y - 7, x(age_ms.p99), y + 7, colour, 'stroke-width="2"'));
    parts.push(`<circle cx="${at(x(age_ms.p50))}" cy="${at(y)}" r="5.5" fill="${colour}"/>`);
    const words = `${ageText(age_ms.p50)} · ${ageText(age_ms.p99)}`;
    parts.push(text(width, y + 4, words, { anchor: 'end', fill: colour, weight: 600, size: 13 }));
  }
  return svg(width, box.bottom + 26, 'Age of the data at decision, by strategy', parts);
}

function formatName(letter: Letter, y: number): string {
  return text(0, y + 4, `${letter}  ${STRATEGIES[letter].short}`, {
    weight: 600,
    size: 13,
    fill: COLOURS[letter],
  });
}

/** Sold and not there, to the left; there and not sold at that moment, to the right. */
export function harmPlot(outcomes: readonly Outcome[]): string {
  const row = 34;
  const [width, top] = [1060, 34];
  const bottom = top + outcomes.length * row;
  const most = Math.max(
    ...outcomes.flatMap(({ oversold_units, turned_away_units }) => [oversold_units, turned_away_units]),
    1,
  );
  const [middle, left] = [620, 250];
  const scale = (middle - left) / most;
  const parts = [
    text(middle - 8, 16, '← oversold: refunded', { anchor: 'end', fill: SOFT, size: 12 }),
    text(middle + 8, 16, 'turned away though there was one (of them lost) →', { fill: SOFT, size: 12 }),
  ];
  for (const [n, outcome] of outcomes.entries()) {
    const { letter, oversold_units, turned_away_units, lost_units } = outcome;
    const y = top + n * row;
    const colour = COLOURS[letter];
    parts.push(formatName(letter, y + row / 2 - 3));
    parts.push(bar(middle - oversold_units * scale, y + 3, oversold_units * scale, row - 12, colour));
    parts.push(bar(middle, y + 3, turned_away_units * scale, row - 12, colour, 0.45));
    const oversold = { anchor: 'end', weight: 600, size: 13, fill: colour } as const;
    parts.push(text(middle - oversold_units * scale - 6, y + row / 2 + 2, String(oversold_units), oversold));
    const careful = { size: 13, fill: colour, weight: 600 };
    parts.push(
      text(
        middle + turned_away_units * scale + 6,
        y + row / 2 + 2,
        `${turned_away_units} (${lost_units})`,
        careful,
      ),
    );
  }
  parts.push(line(middle, top - 6, middle, bottom, INK));
  return svg(width, bottom + 6, 'Units oversold and sales lost, by strategy', parts);
}

function bar(x: number, y: number, width: number, height: number, fill: string, opacity = 1): string {
  return `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" fill="${fill}" fill-opacity="${opacity}"/>`;
}

/** An age as a person says it, to two figures. */
export function ageText(ms: number): string {
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < 2 * MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < 2 * HOUR) return `${Math.round(ms / MINUTE)} min`;
  if (ms < 2 * DAY) return `${Math.round(ms / HOUR)} h`;
  return `${(ms / DAY).toFixed(1)} days`;
}
