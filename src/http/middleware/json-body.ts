/** The text of a request's body, read once. */

import { isUtf8 } from 'node:buffer';

export type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly why: 'no_json' | 'too_deep' | 'too_many_fields' };

export interface JsonLimits {
  /** Brackets inside brackets. */
  readonly depth_max: number;
  /** Fields of all objects together. */
  readonly fields_max: number;
}

/**
 * Nesting and fields are looked at before anything is built: what is made of it later is walked by recursion, and an object of 90,000
 * fields, for which a megabyte has room, takes fifty times as long to build as a text of that length.
 */
export function parseJson(body: Buffer, limits: JsonLimits): Parsed {
  const why = findExcess(body, limits);
  if (why !== null) return { ok: false, why };
  if (!isUtf8(body)) return { ok: false, why: 'no_json' };
  try {
    return { ok: true, value: JSON.parse(body.toString('utf8')) };
  } catch {
    return { ok: false, why: 'no_json' };
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const COLON = 0x3a;
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** Of text that is no JSON the answer means nothing, and nobody asks: it is not parsed either way. */
function findExcess(
  text: Buffer,
  { depth_max, fields_max }: JsonLimits,
): 'too_deep' | 'too_many_fields' | null {
  let depth = 0;
  let fields = 0;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at] ?? 0;
    if (byte === QUOTE) at = endOfString(text, at);
    else if (OPENING.has(byte)) depth += 1;
    else if (CLOSING.has(byte)) depth -= 1;
    else if (byte === COLON) fields += 1;
    if (depth > depth_max) return 'too_deep';
    if (fields > fields_max) return 'too_many_fields';
  }
  return null;
}

/** Where the string ends that begins at `start`. */
function endOfString(text: Buffer, start: number): number {
  let at = start;
  for (;;) {
    at = text.indexOf(QUOTE, at + 1);
    if (at < 0) return text.length;
    let escapes = 0;
    while (text[at - 1 - escapes] === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return at;
  }
}
