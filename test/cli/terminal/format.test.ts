import { describe, expect, it } from 'vitest';
import {
  failed,
  fine,
  formatFinding,
  isWhole,
  skipped,
  summarizeFindings,
  warned,
} from '../../../src/cli/doctor/finding.js';
import { reportLines } from '../../../src/cli/reconcile.js';
import { bytesText, countText, durationText } from '../../../src/cli/terminal/format.js';
import { Progress, type ProgressOptions, progressLine } from '../../../src/cli/terminal/progress.js';
import { tableLines } from '../../../src/cli/terminal/table.js';

const PLAIN = { coloured: false, columns: 80 };

describe('a finding', () => {
  it('is a line with a mark, and its mends below it', () => {
    const finding = failed('token', 'token_refused', 'The shop said no.', 'Make a new one.', 'Or ask.');
    expect(formatFinding(finding, PLAIN)).toEqual([
      '✗ token          The shop said no.',
      '                 → Make a new one.',
      '                 → Or ask.',
    ]);
  });

  it('is broken between words where the terminal ends', () => {
    const told = 'word '.repeat(40).trim();
    for (const line of formatFinding(fine('shop', told), PLAIN)) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('lets nothing that the shop calls itself move the cursor', () => {
    expect(formatFinding(fine('token', 'It opens \u001b[2J\rEvil\nShop.'), PLAIN).join('')).not.toMatch(
      /\p{Cc}/u,
    );
  });

  it('that only warns or was skipped breaks nothing', () => {
    const all = [fine('shop', ''), warned('plan', 'development_store', ''), skipped('webhooks', '')];
    expect(isWhole(all)).toBe(true);
    expect(isWhole([...all, failed('clock', 'clock_off', '')])).toBe(false);
    expect(summarizeFindings([...all, failed('clock', 'clock_off', '')])).toMatch(
      /^1 check failed, 1 to look at/,
    );
    expect(summarizeFindings(all)).toMatch(/^Nothing is broken; 1 to look at/);
    expect(summarizeFindings([fine('shop', '')])).toBe('All is well.');
  });
});

describe('progress', () => {
  function told(isTerminal: boolean, steps: readonly [at_ms: number, done: number][]): string {
    let now_ms = 0;
    let text = '';
    const options: ProgressOptions = {
      write: (more) => {
        text += more;
      },
      isTerminal,
      columns: 60,
      now: () => now_ms,
      redraw_ms: 100,
      line_ms: 5_000,
    };
    const progress = new Progress('Reading', options);
    for (const [at_ms, done] of steps) {
      now_ms = at_ms;
      progress.step({ done, total: 1_000 });
    }
    progress.end();
    return text;
  }

  it('is one line that is written over at a terminal, and gone at the end', () => {
    const text = told(true, [
      [0, 1],
      [50, 2],
      [200, 3],
    ]);
    expect(text).not.toContain('\n');
    expect(text.split('\r').filter((line) => line.includes('Reading'))).toHaveLength(2);
    expect(text.endsWith('\r\u001b[2K')).toBe(true);
  });

  it('is a line every few seconds where lines stay, and none for short work', () => {
    expect(
      told(false, [
        [0, 1],
        [4_000, 2],
      ]),
    ).toBe('');
    expect(
      told(false, [
        [0, 1],
        [5_000, 500],
        [7_000, 600],
        [10_000, 900],
      ]).split('\n'),
    ).toHaveLength(3);
  });

  it('tells how many of how many, for how long and how fast', () => {
    expect(progressLine('Reading', { done: 12_500, total: 100_000 }, 10_000)).toBe(
      'Reading: 12,500 of 100,000 items (12 %), 10 seconds, 1,250 items/s',
    );
    expect(progressLine('Reading', { done: 7, total: null }, 400)).toBe(
      'Reading: 7 items, less than a second',
    );
  });
});

describe('figures', () => {
  it('are said as a person says them', () => {
    expect([0, 1_000, 90_000, 300_000, 7_200_000, 200_000_000].map(durationText)).toEqual([
      'less than a second',
      '1 second',
      '90 seconds',
      '5 minutes',
      '2 hours',
      '2 days',
    ]);
    expect([5, 1_000, 1_234_567].map(countText)).toEqual(['5', '1,000', '1,234,567']);
    expect([50 * 2 ** 20, 3 * 2 ** 30].map(bytesText)).toEqual(['50 MiB', '3.0 GiB']);
  });

  it('line up in a table, whatever a title holds', () => {
    expect(
      tableLines(
        ['SKU', 'units'],
        [
          ['A\u001b[2J', '5'],
          ['LONGER', '-12'],
        ],
        ['left', 'right'],
      ),
    ).toEqual(['SKU     units', 'A [2J       5', 'LONGER    -12']);
  });
});

describe('the report of a reconciliation', () => {
  const empty = {
    began_at_ms: 0,
    ended_at_ms: 3_000,
    is_first: false,
    items_read: 61,
    variants_read: 61,
    variants_counted: 61,
    levels_compared: 170,
    drift_total: 0,
    catalogue_drift_total: 0,
    in_passing_total: 0,
    drift: [],
    catalogue_drift: [],
  };
  const row = {
    sku: 'CAP',
    item_id: '1',
    location_id: '7',
    ledger_units: 5,
    shop_units: 3,
    difference_units: -2,
    shop_changed_at_ms: Date.parse('2026-11-23T10:00:00Z'),
  };

  it('lists every SKU that differed, with place, both figures, their difference and its time', () => {
    const report = {
      ...empty,
      drift_total: 3,
      drift: [
        row,
        {
          ...row,
          sku: 'HAT',
          location_id: '8',
          ledger_units: null,
          difference_units: 3,
          shop_changed_at_ms: null,
        },
      ],
    };
    expect(reportLines(report, new Map([['7', 'Warehouse']]))).toEqual([
      'SKU  location   ledger  shop  difference  changed at (UTC)',
      'CAP  Warehouse       5     3          -2  2026-11-23 10:00:00',
      'HAT  8            none     3          +3  not told',
      '… and 1 more; each is in the journal.',
      '',
      '3 differed (61 items, 170 stock levels, 3 seconds). The ledger has the shop’s figures now.',
    ]);
  });

  it('tells what was only on its way from drift', () => {
    expect(reportLines({ ...empty, in_passing_total: 4 }, new Map())).toEqual([
      '✓ Ledger and shop agree (61 items, 170 stock levels, 3 seconds).',
      '  4 differed because they had just changed: that is no drift.',
    ]);
  });

  it('says of the first one that there was nothing to compare with', () => {
    expect(reportLines({ ...empty, is_first: true }, new Map())[0]).toContain('for the first time');
  });
});
