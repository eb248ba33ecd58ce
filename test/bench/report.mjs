/** Medians and tables. */

export function median(values) {
  return quantile(values, 0.5);
}

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** Middle and spread of what several rounds gave, for one field. */
export function middle(rounds, field) {
  return median(rounds.map((round) => round[field]));
}

export function number(value, digits = 0) {
  return Number.isFinite(value)
    ? value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits })
    : '-';
}

/**
 * Cores that others may use meanwhile before a target is no longer judged. Contention does not hit both alike: who
 * waits for the disk on each call loses far more by it, and the ratio flatters us.
 */
export const QUIET_MAX_CORES = 0.25;

/** What is wanted, and whether this run gave it. */
export function verdict(value, target, { isBelow = false, isQuiet }) {
  const wanted = `${isBelow ? '≤' : '≥'} ${target}`;
  if (!isQuiet) return `not judged, machine busy (${wanted})`;
  return `${(isBelow ? value <= target : value >= target) ? 'met' : 'MISSED'} (${wanted})`;
}

export function table(title, columns, rows) {
  const text = [columns, ...rows.map((row) => row.map(String))];
  const widths = columns.map((_, n) => Math.max(...text.map((row) => row[n].length)));
  const line = (row) =>
    `| ${row.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]) : cell.padStart(widths[n]))).join(' | ')} |`;
  console.log(`\n### ${title}\n`);
  console.log(line(text[0]));
  console.log(`|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
  for (const row of text.slice(1)) console.log(line(row));
}
