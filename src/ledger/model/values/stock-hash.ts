/**
 * The stock checksum (specification section 3): SHA-256 over the RFC 8785 (JCS) form of a snapshot of source
 * state. Other callers' holds are not part of it. The one place in the ledger that touches `node:crypto`.
 */

import { hash, timingSafeEqual } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Lifecycle } from './observation.js';

export interface SnapshotLocation {
  readonly id: string;
  /** What the shop says can be sold there plus our own mirrored holds, so that mirroring leaves the hash as it was. */
  readonly sellable: number;
}

export interface StockSnapshot {
  readonly shop: string;
  readonly sku: string;
  /** Grows by one whenever anything in the snapshot changes. */
  readonly state_version: number;
  readonly lifecycle: Lifecycle;
  readonly locations: readonly SnapshotLocation[];
  /** Ledger time in milliseconds at which this version was first observed. */
  readonly as_of: number;
  /** 128 random bits per version, in hex: an unsalted hash gives the count away in milliseconds of guessing. */
  readonly salt: string;
}

/** "sha256:" and 64 lowercase hex digits. */
export type StockHash = string;

const STOCK_HASH_PATTERN = /^sha256:[0-9a-f]{64}$/;

export function isWellFormedHash(input: string): boolean {
  return STOCK_HASH_PATTERN.test(input);
}

/** The checksum of one SKU. Throws on a fraction or an unsafe integer, which would hash differently elsewhere. */
export function stockHash(snapshot: StockSnapshot): StockHash {
  const locations = snapshot.locations
    .map((location) => ({ id: location.id, sellable: exactInteger(location.sellable) }))
    .sort((a, b) => compareCodeUnits(a.id, b.id));
  return hashOf({
    v: 1,
    typ: 'stock-snapshot',
    shop: snapshot.shop,
    sku: snapshot.sku,
    state_version: exactInteger(snapshot.state_version),
    lifecycle: snapshot.lifecycle,
    locations,
    as_of: exactInteger(snapshot.as_of),
    salt: snapshot.salt,
  });
}

export interface BasketItem {
  readonly sku: string;
  readonly stock_hash: StockHash;
}

/** The checksum of a reservation: the SKU's own for one SKU, else over all of them, sorted by SKU. */
export function basketHash(shop: string, items: readonly BasketItem[]): StockHash {
  const [first] = items;
  if (first === undefined) throw new Error('a basket has at least one item');
  if (items.length === 1) return first.stock_hash;
  const sorted = items
    .map(({ sku, stock_hash }) => ({ sku, stock_hash }))
    .sort((a, b) => compareCodeUnits(a.sku, b.sku));
  return hashOf({ v: 1, typ: 'stock-basket', shop, items: sorted });
}

/** Constant-time comparison of two well-formed hashes. */
export function sameHash(a: StockHash, b: StockHash): boolean {
  const left = Buffer.from(a, 'latin1');
  const right = Buffer.from(b, 'latin1');
  return left.length === right.length && timingSafeEqual(left, right);
}

/** SHA-256 of a UTF-8 text, in hex: what the journal chains and what idempotency compares inputs by. */
export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}

/** The UUID of a name among ours (RFC 9562, version 5): the same name has the same one, everywhere and always. */
export function nameUuid(name: string): string {
  const hex = hash('sha1', `${UUID_NAMESPACE}${name}`, 'hex');
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}

/** Sixteen bytes of our own, as RFC 9562 wants them in front of the name. */
const UUID_NAMESPACE = 'holdfast/key/v1/';

/** SHA-256 of any JSON value in its canonical form, in hex. */
export function sha256OfJson(value: unknown): string {
  return sha256Hex(canonical(value));
}

function hashOf(value: unknown): StockHash {
  return `sha256:${sha256OfJson(value)}`;
}

function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('not a JSON value');
  return text;
}

function exactInteger(value: number): number {
  if (!Number.isSafeInteger(value)) throw new Error(`a snapshot holds safe integers only, not ${value}`);
  return value;
}

/** RFC 8785 sorts by UTF-16 code units, and so do we: `localeCompare` differs between machines. */
function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
