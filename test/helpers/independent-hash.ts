/**
 * The checksums of specification section 3 by programs that share no line with ours: Python's json and hashlib
 * where python3 is installed, and a canonical text put together here and hashed by openssl.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BasketItem, StockSnapshot } from '../../src/ledger/model/values/stock-hash.js';

export interface Wanted {
  readonly snapshots: readonly StockSnapshot[];
  readonly baskets: readonly { readonly shop: string; readonly items: readonly BasketItem[] }[];
}

const SCRIPT = fileURLToPath(new URL('stock_hash.py', import.meta.url));

export function hasPython(): boolean {
  return spawnSync('python3', ['--version']).status === 0;
}

/** The checksums of the snapshots, then those of the baskets. */
export function independently(wanted: Wanted, by: 'python3' | 'openssl'): readonly string[] {
  if (by === 'openssl') {
    return [...wanted.snapshots.map(snapshotText), ...wanted.baskets.map(basketText)].map(opensslHash);
  }
  const python = spawnSync('python3', [SCRIPT], { input: JSON.stringify(wanted), encoding: 'utf8' });
  if (python.status !== 0) throw new Error(`python3 failed: ${python.stderr}`);
  return JSON.parse(python.stdout) as string[];
}

/** Keys in order by hand; `JSON.stringify` of a string and of an integer is what RFC 8785 asks for. */
function snapshotText(of: StockSnapshot): string {
  const locations = [...of.locations]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, sellable }) => `{"id":${JSON.stringify(id)},"sellable":${sellable}}`);
  return (
    `{"as_of":${of.as_of},"lifecycle":"${of.lifecycle}","locations":[${locations.join(',')}],"salt":"${of.salt}",` +
    `"shop":"${of.shop}","sku":${JSON.stringify(of.sku)},"state_version":${of.state_version},"typ":"stock-snapshot","v":1}`
  );
}

function basketText({ shop, items }: Wanted['baskets'][number]): string {
  const texts = [...items]
    .sort((a, b) => (a.sku < b.sku ? -1 : 1))
    .map(({ sku, stock_hash }) => `{"sku":${JSON.stringify(sku)},"stock_hash":"${stock_hash}"}`);
  return `{"items":[${texts.join(',')}],"shop":"${shop}","typ":"stock-basket","v":1}`;
}

function opensslHash(text: string): string {
  const openssl = spawnSync('openssl', ['dgst', '-sha256', '-r'], { input: text, encoding: 'utf8' });
  if (openssl.status !== 0) throw new Error('openssl could not hash');
  return `sha256:${openssl.stdout.slice(0, 64)}`;
}
