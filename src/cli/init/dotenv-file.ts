/**
 * Changes settings in the text of a `.env` file and leaves every other line as it is: comments, order, and settings that
 * are not ours. What comes out is read back before it is believed.
 */

import { parseEnv } from 'node:util';

/** Undefined removes the setting. */
export type SettingChanges = Readonly<Record<string, string | undefined>>;

export type NewText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly why: string };

interface Entry {
  /** Null: a comment, an empty line, or what no reader of such files understands. */
  readonly name: string | null;
  readonly lines: readonly string[];
}

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*)$/;

/**
 * Settings that are new come last, or first where a line that nobody understands would swallow them. The last of several
 * lines with one name is the one that counts: the others go.
 */
export function withSettings(text: string, changes: SettingChanges): NewText {
  const written = new Map<string, string>();
  for (const [name, value] of Object.entries(changes)) {
    const line = value === undefined ? '' : assignment(name, value);
    if (line === null) return unwritable(name);
    written.set(name, line);
  }
  const entries = parseEntries(text);
  const known = new Set(entries.map(({ name }) => name));
  const kept = keptLines(entries, written);
  const added = [...written]
    .filter(([name, line]) => line !== '' && !known.has(name))
    .map(([, line]) => line);
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const wished = [
    [...kept, ...added],
    [...added, ...kept],
  ]
    .map((lines) => (lines.length === 0 ? '' : `${lines.join(eol)}${eol}`))
    .find((after) => isAsWished(text, changes, after));
  return wished === undefined ? unreadable() : { ok: true, text: wished };
}

/** `written`: the new line of each setting that changes; empty when it goes. */
function keptLines(entries: readonly Entry[], written: ReadonlyMap<string, string>): string[] {
  const last = new Map(entries.map(({ name }, at) => [name, at]));
  return entries.flatMap(({ name, lines }, at) => {
    const line = name === null ? undefined : written.get(name);
    if (line === undefined) return lines;
    return line === '' || last.get(name) !== at ? [] : [line];
  });
}

/** The names whose value would be another than it is. */
export function changedNames(text: string, changes: SettingChanges): string[] {
  const now = parseEnv(text);
  return Object.keys(changes).filter((name) => now[name] !== changes[name]);
}

/** A value in quotes may go over several lines, and what looks like a setting inside of it is none. */
function parseEntries(text: string): Entry[] {
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  if (text === '') return [];
  const entries: Entry[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const [, name, value = ''] = ASSIGNMENT.exec(line) ?? [];
    const quote = /^["'`]/.exec(value)?.[0];
    const end =
      name === undefined || quote === undefined || value.indexOf(quote, 1) > 0
        ? at
        : lines.findIndex((later, index) => index > at && later.includes(quote));
    // A quote that is never closed is part of the value, on one line.
    const upTo = end < at ? at : end;
    entries.push({ name: name ?? null, lines: lines.slice(at, upTo + 1) });
    at = upTo;
  }
  return entries;
}

/** A line that reads back as the value; null when there is no way to write it. */
function assignment(name: string, value: string): string | null {
  const ways = [value, `'${value}'`, `"${value}"`, `\`${value}\``].map((written) => `${name}=${written}`);
  return ways.find((line) => !/[\r\n]/.test(line) && sameSettings(parseEnv(line), { [name]: value })) ?? null;
}

function isAsWished(before: string, changes: SettingChanges, after: string): boolean {
  const wished = Object.fromEntries(
    Object.entries({ ...parseEnv(before), ...changes }).filter(([, value]) => value !== undefined),
  );
  return sameSettings(parseEnv(after), wished);
}

function sameSettings(a: NodeJS.Dict<string>, b: NodeJS.Dict<string>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function unwritable(name: string): NewText {
  return {
    ok: false,
    why: `${name} has a value that no .env file can hold (a line break, or all three kinds of quotes).`,
  };
}

function unreadable(): NewText {
  return {
    ok: false,
    why: 'The file has lines that could not be changed without touching others: set it right by hand.',
  };
}
