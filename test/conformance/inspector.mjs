/** What MCP's inspector says about Holdfast: the portability of its schemas, and calls as a person makes them. */

import { runInspector } from './referees.mjs';

const TOOLS = 6;
/** The sandbox shop has a few dozen of it. */
const SKU = 'LINEN-SHIRT-WHT-M';
/** The inspector's exit code for a tool's result with `isError`. */
const TOOL_REFUSED = 5;

/**
 * Each check resolves with null, or with what is wrong. `targets`: the words that lead the inspector to a server, by how
 * it is reached. Calls are made once each way: every one starts an inspector, and over stdio a server too.
 */
export function inspectorChecks({ http, stdio }, home) {
  const over =
    (target, era) =>
    (...words) =>
      runInspector([...target, '--protocol-era', era, ...words], home);
  return [
    { name: 'tools/list --strict, http, legacy', run: () => listsStrictly(over(http, 'legacy')) },
    { name: 'tools/list --strict, http, modern', run: () => listsStrictly(over(http, 'modern')) },
    { name: 'tools/list --strict, stdio, legacy', run: () => listsStrictly(over(stdio, 'legacy')) },
    { name: 'tools/list --strict, stdio, modern', run: () => listsStrictly(over(stdio, 'modern')) },
    { name: 'tools/call, http, modern', run: () => calls(over(http, 'modern')) },
    { name: 'tools/call, stdio, legacy', run: () => calls(over(stdio, 'legacy')) },
    { name: 'tools/call that is refused, http, legacy', run: () => isRefused(over(http, 'legacy')) },
  ];
}

async function listsStrictly(inspect) {
  const { code, stdout, stderr } = await inspect('--method', 'tools/list', '--strict');
  if (code !== 0) return `exit ${code}: ${stderr}`;
  const { tools } = JSON.parse(stdout);
  return tools.length === TOOLS ? null : `it lists ${tools.length} tools`;
}

async function calls(inspect) {
  const { code, stdout, stderr } = await inspect(...call('check_stock', `skus=["${SKU}"]`));
  if (code !== 0) return `exit ${code}: ${stderr}`;
  const { content, structuredContent } = JSON.parse(stdout);
  if (structuredContent.items[0]?.sku !== SKU) return 'it does not answer about what it was asked';
  const isSame = JSON.stringify(JSON.parse(content[0].text)) === JSON.stringify(structuredContent);
  return isSame ? null : 'text and structured content differ';
}

async function isRefused(inspect) {
  const args = `lines=[{"sku":"${SKU}","quantity":900000}]`;
  const { code, stdout, stderr } = await inspect(...call('reserve_units', args));
  if (code !== TOOL_REFUSED) return `exit ${code}: ${stderr}`;
  const { error } = JSON.parse(stdout).structuredContent;
  return error.code === 'stock_insufficient' ? null : `it was refused as ${error.code}`;
}

function call(tool, args) {
  return ['--method', 'tools/call', '--tool-name', tool, '--tool-arg', args];
}
