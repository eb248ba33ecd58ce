/** The two that need no server: Holdfast, and what most write first. */

import { join } from 'node:path';
import { openLedger, openNaive, seed, skuOf, tempFolder } from '../arena.mjs';

export async function openHoldfast({ skus, units }) {
  const { folder, remove } = tempFolder();
  const ours = openLedger({ path: join(folder, 'ledger.db') });
  await seed(ours, skus, { units });
  const reserve = async (n) => {
    const { ok, refusal } = await ours.ledger.reserve({
      principal: 'bench',
      lines: [{ sku: skuOf(n), quantity: 1 }],
      ttl_seconds: undefined,
      allow_partial: false,
      idempotency_key: undefined,
    });
    if (!ok && refusal.code !== 'stock_insufficient') throw new Error(refusal.code);
    return ok;
  };
  const close = async () => {
    await ours.store.close();
    remove();
  };
  return { reserve, close };
}

export async function openNaiveShop({ skus, units }) {
  const { folder, remove } = tempFolder();
  const naive = openNaive(join(folder, 'naive.db'), skus, units);
  return {
    reserve: async (n) => naive.reserve(skuOf(n)),
    close: async () => {
      naive.close();
      remove();
    },
  };
}
