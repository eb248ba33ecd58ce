/** Columns that line up, for people. */

export type Side = 'left' | 'right';

/** What comes from a shop may hold anything: control characters would move the cursor, and long titles the columns. */
const CELL_CHARS_MAX = 60;

export function tableLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  sides: readonly Side[],
): string[] {
  const cells = [head, ...rows].map((row) => row.map(cellText));
  const widths = head.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, at) =>
        sides[at] === 'right' ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

function cellText(text: string): string {
  const plain = text.replace(/\p{Cc}+/gu, ' ');
  return plain.length > CELL_CHARS_MAX ? `${plain.slice(0, CELL_CHARS_MAX - 1)}…` : plain;
}
