import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openHoldfast } from '../../src/app/open-app.js';
import { readConfig } from '../../src/config/config.js';

it('a call that fails is its caller’s to hear of, and does not end the process', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-main-'));
  const config = readConfig({
    HOLDFAST_DB: join(folder, 'ledger.db'),
    SHOPIFY_SHOP: 'sandbox.myshopify.com',
    SHOPIFY_ACCESS_TOKEN: 'shpat_sandbox',
  });
  const quiet = (): void => undefined;
  const holdfast = openHoldfast(config, { debug: quiet, info: quiet, warn: quiet, error: quiet });
  const unhandled: unknown[] = [];
  const hear = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', hear);
  try {
    const call = Promise.reject(new Error('a bug'));
    holdfast.tools.onCall?.(call);
    await expect(call).rejects.toThrow('a bug');
    await holdfast.settled();
    // Node looks for rejections that nobody has handled between two turns.
    await new Promise((resume) => setImmediate(resume));
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', hear);
    await holdfast.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
