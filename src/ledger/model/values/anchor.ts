/**
 * An anchor: the number and hash of one journal entry, kept where whoever can write the ledger can't. The chain in the file proves
 * itself; that it is the same chain as yesterday only an anchor proves (L11).
 */

export interface Anchor {
  /** What `n` counts: 1 for entries. Another version may count blocks of them. */
  readonly v: typeof ANCHOR_VERSION;
  /** Number of the entry, from 1; 0 before the first. */
  readonly n: number;
  /** The entry's hash: 64 lowercase hex digits. */
  readonly hash: string;
}

export const ANCHOR_VERSION = 1;

/** What stands on an order at the shop, on one line: `1:1009:<hash>`. */
export function anchorText({ v, n, hash }: Anchor): string {
  return `${v}:${n}:${hash}`;
}

/** An anchor in either form, `1:1009:<hash>` or `{"v":1,"n":1009,"hash":"<hash>"}`. Null for anything else. */
export function parseAnchor(text: string): Anchor | null {
  const parts = /^(\d+):(\d{1,15}):([0-9a-f]{64})$/.exec(text.trim());
  if (parts !== null) return makeAnchor(Number(parts[1]), Number(parts[2]), parts[3]);
  try {
    const { v, n, hash } = (JSON.parse(text) ?? {}) as Record<string, unknown>;
    return makeAnchor(v, n, hash);
  } catch {
    return null;
  }
}

function makeAnchor(v: unknown, n: unknown, hash: unknown): Anchor | null {
  if (v !== ANCHOR_VERSION || !Number.isSafeInteger(n) || (n as number) < 0) return null;
  if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) return null;
  return { v, n: n as number, hash };
}
