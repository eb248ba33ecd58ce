/** What `holdfast doctor` finds: one line per check, and how to mend what is wrong. */

/** Every check with the codes it can end in. Names and codes are for machines (`--json`): they stay as they are. */
export const CODES = {
  settings: ['fine', 'settings_wrong', 'shop_not_set'],
  disk: [
    'fine',
    'folder_missing',
    'folder_not_writable',
    'space_low',
    'space_gone',
    'network_file_system',
    'shared_file_system',
  ],
  files: ['fine', 'none_yet', 'open_to_others', 'several_names'],
  ledger: [
    'fine',
    'none_yet',
    'driver_missing',
    'not_a_ledger',
    'not_writable',
    'newer_version',
    'older_version',
    'other_shop',
    'clock_was_ahead',
    'rise_withheld',
    'unreadable',
  ],
  server: ['fine', 'not_running', 'not_confirming', 'not_read_yet', 'catalogue_short'],
  orders: ['fine', 'parked', 'not_placed', 'held', 'unplaced_hold'],
  holds: ['fine', 'unowned_units', 'unreadable', 'not_moved'],
  payment: ['fine'],
  shop: [
    'fine',
    'shop_unknown',
    'shop_moved',
    'shop_closed',
    'shop_down',
    'other_shop',
    'name_not_found',
    'no_connection',
    'tls_failed',
    'timed_out',
    'odd_answer',
  ],
  clock: ['fine', 'clock_off', 'clock_drifting', 'no_date'],
  token: [
    'fine',
    'token_refused',
    'token_wrong_kind',
    'token_outdated',
    'token_forbidden',
    'throttled',
    'no_answer',
    'odd_answer',
  ],
  scopes: ['fine', 'scope_missing', 'scope_unneeded'],
  api_version: ['fine', 'version_other'],
  plan: ['fine', 'development_store'],
  locations: ['fine', 'several_locations', 'no_location', 'unreadable'],
  publication: ['fine', 'scope_missing', 'publication_unknown', 'unreadable'],
  webhooks: [
    'fine',
    'not_configured',
    'no_secret',
    'name_not_found',
    'no_connection',
    'tls_failed',
    'timed_out',
    'route_missing',
    'signature_refused',
    'redirected',
    'server_down',
    'not_holdfast',
    'mcp_exposed',
    'odd_answer',
  ],
  subscriptions: ['fine', 'topic_missing', 'foreign_address', 'left_over', 'not_configured', 'unreadable'],
  callers: [
    'fine',
    'open_to_loopback',
    'tokens_missing',
    'tokens_unreadable',
    'tokens_wrong',
    'open_to_others',
    'nobody',
    'ending_soon',
  ],
  issuer: ['fine', 'not_configured', 'silent', 'other_issuer', 'no_keys'],
} as const;

export type Check = keyof typeof CODES;
/** `skipped`: could not be looked at because of another finding, which says so. */
export type Code<C extends Check = Check> = (typeof CODES)[C][number] | 'skipped' | 'timed_out' | 'bug';

export type Verdict = 'ok' | 'failed' | 'warning' | 'skipped';

export interface Finding {
  readonly check: Check;
  readonly code: Code;
  readonly verdict: Verdict;
  /** A sentence for a person, without secrets. */
  readonly told: string;
  /** What to do about it, a step a line. */
  readonly mend: readonly string[];
}

export function fine(check: Check, told: string): Finding {
  return { check, code: 'fine', verdict: 'ok', told, mend: [] };
}

export function failed<C extends Check>(check: C, code: Code<C>, told: string, ...mend: string[]): Finding {
  return { check, code, verdict: 'failed', told, mend };
}

export function warned<C extends Check>(check: C, code: Code<C>, told: string, ...mend: string[]): Finding {
  return { check, code, verdict: 'warning', told, mend };
}

/** Nothing to do about it here: it does not apply, or another finding has to be mended first. */
export function skipped<C extends Check>(
  check: C,
  why: string,
  code: Code<C> = 'skipped',
  ...mend: string[]
): Finding {
  return { check, code, verdict: 'skipped', told: why, mend };
}

export function isWhole(findings: readonly Finding[]): boolean {
  return findings.every(({ verdict }) => verdict !== 'failed');
}

const MARKS: Readonly<Record<Verdict, string>> = { ok: '✓', failed: '✗', warning: '!', skipped: '–' };

const COLOURS: Readonly<Record<Verdict, string>> = { ok: '32', failed: '31', warning: '33', skipped: '2' };

const NAME_WIDTH = Math.max(...Object.keys(CODES).map((name) => name.length));

export interface Terminal {
  readonly coloured: boolean;
  readonly columns: number;
}

/** The lines of one finding, as a person reads them. */
export function formatFinding({ check, verdict, told, mend }: Finding, terminal: Terminal): string[] {
  const mark = terminal.coloured ? `\u001b[${COLOURS[verdict]}m${MARKS[verdict]}\u001b[0m` : MARKS[verdict];
  const indent = ' '.repeat(NAME_WIDTH + 4);
  const width = Math.max(MIN_TEXT_WIDTH, terminal.columns - indent.length);
  const [first = '', ...rest] = wrapped(told, width);
  const steps = mend.flatMap((step) => {
    const [head = '', ...more] = wrapped(step, width - 2);
    return [`${indent}→ ${head}`, ...more.map((line) => `${indent}  ${line}`)];
  });
  const name = check.replace('_', ' ').padEnd(NAME_WIDTH);
  return [`${mark} ${name}  ${first}`, ...rest.map((line) => `${indent}${line}`), ...steps];
}

/** Below this lines are left to the terminal to break. */
const MIN_TEXT_WIDTH = 40;

export function summarizeFindings(findings: readonly Finding[]): string {
  const count = (verdict: Verdict): number =>
    findings.filter((finding) => finding.verdict === verdict).length;
  const wrong = count('failed');
  const doubtful = count('warning');
  if (wrong > 0) {
    return `${wrong} ${wrong === 1 ? 'check' : 'checks'} failed${doubtful > 0 ? `, ${doubtful} to look at` : ''}. Mend the first one and run holdfast doctor again.`;
  }
  return doubtful > 0 ? `Nothing is broken; ${doubtful} to look at.` : 'All is well.';
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  // Names come from the shop: control characters would move the cursor.
  for (const word of text.replace(/\p{Cc}+/gu, ' ').split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
