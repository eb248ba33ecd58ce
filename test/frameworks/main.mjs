/**
 * `npm run frameworks`: an agent of each framework checks stock, reserves, is refused, and orders, by its own client and with what its own
 * converters make of our answers. A model stands in that says which tools to call; the shop is the built-in one. Node 22 or newer.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installFrom } from '../helpers/install-from.mjs';
import { startModel, textOf } from './model.mjs';

const HOLDFAST = fileURLToPath(new URL('../../dist/cli/holdfast.js', import.meta.url));
const SKU = 'LINEN-SHIRT-WHT-M';
/** What the model calls, and what it has to be shown of each answer. */
const SCRIPT = [
  {
    name: 'check_stock',
    args: () => ({ skus: [SKU] }),
    shows: ['"available_to_promise"', '"stock_hash":"sha256:'],
  },
  {
    name: 'reserve_units',
    args: () => ({ lines: [{ sku: SKU, quantity: 2 }] }),
    shows: ['"reservation_id":"res_', '"expires_at"'],
  },
  // Refused: a model that is not shown why can't do better.
  {
    name: 'reserve_units',
    args: () => ({ lines: [{ sku: SKU, quantity: 9_999 }] }),
    shows: ['"code":"stock_insufficient"', '"retry":"after_check_stock"'],
  },
  {
    name: 'submit_order_with_hash',
    args: (shown) => {
      const [, reservation_id, stock_hash] =
        /"reservation_id":"(res_[^"]+)".*?"stock_hash":"(sha256:[0-9a-f]{64})","created_at"/su.exec(shown);
      return { reservation_id, stock_hash, buyer: { email: 'ada@example.com' } };
    },
    shows: ['"order_id":"ord_', '"status":"accepted"'],
  },
];

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
installFrom(fileURLToPath(new URL('./', import.meta.url)));
const { FRAMEWORKS } = await import('./clients.mjs');

const folder = mkdtempSync(join(tmpdir(), 'holdfast-frameworks-'));
const server = await serve(folder);
let failed = 0;
try {
  for (const [name, talk] of Object.entries(FRAMEWORKS)) {
    if (!name.includes(values.only)) continue;
    const wrong = await play(talk);
    console.log(`${wrong === null ? 'ok    ' : 'FAILED'} ${name}${wrong === null ? '' : `: ${wrong}`}`);
    if (wrong !== null) failed += 1;
  }
} finally {
  server.child.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
}
// Some of them keep connections of their own, which would keep the process.
process.exit(failed === 0 ? 0 : 1);

/** What went wrong, or null. */
async function play(talk) {
  const model = await startModel(SCRIPT);
  try {
    await talk({ mcp: server.url, model: model.url });
    return whatIsMissing(model.turns);
  } catch (error) {
    return error.stack ?? String(error);
  } finally {
    await model.stop();
  }
}

/** Each turn's body has all messages so far: what it has beyond the one before is the newest answer. */
function whatIsMissing(turns) {
  if (turns.length !== SCRIPT.length + 1)
    return `${turns.length} turns, and ${SCRIPT.length + 1} were expected`;
  for (const [index, { name, shows }] of SCRIPT.entries()) {
    const newest = textOf(turns[index + 1].messages.at(-1));
    const missing = shows.filter((words) => !newest.includes(words));
    if (missing.length > 0)
      return `the model is not shown ${missing.join(', ')} of ${name}: ${newest.slice(0, 400)}`;
  }
  return null;
}

async function serve(cwd) {
  const child = spawn(process.execPath, [HOLDFAST, 'serve', '--http', '--sandbox'], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, HOLDFAST_HTTP_PORT: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  for await (const line of createInterface(child.stderr)) {
    const entry = line.startsWith('{') ? JSON.parse(line) : {};
    if (entry.msg === 'serving') {
      child.stderr.resume();
      return { child, url: entry.mcp };
    }
  }
  throw new Error('the server ended before it served');
}
