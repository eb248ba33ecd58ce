/**
 * `holdfast demo`: one agent's day against the sandbox shop, told in plain lines, with the figures and hashes
 * that the tools really returned. Each step checks that it ended as told; the first that did not ends the demo.
 */

import { SEED_SKUS } from '../../sandbox/base/catalogue.js';
import { type Agent, HOLDFAST, type Stage, setStage, type ToolAnswer } from './demo-stage.js';

/** True when every step ended as told. */
export async function demo(options: { readonly stay: boolean }): Promise<boolean> {
  const stage = await setStage();
  try {
    tell('Holdfast: one agent’s day', [
      'A sandbox shop is running, spoken to in Shopify’s own Admin API over HTTP.',
      'Two Holdfast servers share one ledger: Ada talks to one over stdio (like Claude Desktop),',
      'Ben to the other over HTTP (like an agent framework). Both are real MCP clients.',
    ]);
    for (const scene of SCENES) await scene(stage);
    tell('The end', ['Every step ended as told.']);
    if (options.stay) await stay(stage);
    return true;
  } catch (error) {
    console.error(`\n✗ ${(error as Error).message}`);
    return false;
  } finally {
    await stage.clear();
  }
}

const SCENES: readonly ((stage: Stage) => Promise<void>)[] = [
  sellOnFreshStock,
  sellAfterSaleElsewhere,
  refuseWhatIsGone,
  oneLastUnit,
  discontinued,
  proveIt,
];

async function sellOnFreshStock({ ada, till }: Stage): Promise<void> {
  const sku: string = SEED_SKUS.plentiful;
  await ada.callUntil('find_items', { query: 'linen shirt white' }, ({ data }) =>
    data.items.some((item: { sku: string }) => item.sku === sku),
  );
  const [item] = (await ask(ada, 'check_stock', { skus: [sku] })).data.items;
  const reserved = await ask(ada, 'reserve_units', {
    lines: [{ sku, quantity: 2 }],
    idempotency_key: 'demo-1',
  });
  tell('1. Check, reserve, submit', [
    `Ada looks for a white linen shirt: find_items gives ${sku}, without any stock figure.`,
    `check_stock: ${item.available_to_promise} can be promised, known for ${item.age_seconds} s, checksum ${short(item.stock_hash)}.`,
    `reserve_units: 2 are hers until ${clock(reserved.data.expires_at)} (${reserved.data.ttl_seconds} s), same checksum ${short(reserved.data.stock_hash)}.`,
  ]);
  expect(reserved.data.stock_hash === item.stock_hash, 'reserving leaves the checksum as it was');

  const shopBefore = item.available_to_promise as number;
  await waitFor(
    async () => (await till.available(sku)) === shopBefore - 2,
    'the shop holds the two shirts too',
  );
  const after = await ada.callUntil(
    'check_stock',
    { skus: [sku] },
    ({ data }) => data.items[0].available_to_promise === shopBefore - 2,
  );
  const promise = after.data.items[0].available_to_promise as number;
  const placed = await submitUntilFinal(ada, reserved.data.reservation_id, reserved.data.stock_hash);
  expect(
    placed.hash_verdict === 'match' && placed.status === 'placed',
    'a true checksum is accepted and placed',
  );
  say([
    `The shop’s own “available” fell from ${shopBefore} to ${shopBefore - 2}: web customers can’t take them either. Others are now promised ${promise}.`,
    `submit_order_with_hash: the checksum still matches → accepted, and placed by the server as order ${placed.upstream.order_name}.`,
  ]);
}

async function sellAfterSaleElsewhere({ ada, till }: Stage): Promise<void> {
  const sku: string = SEED_SKUS.scarce;
  const reserved = await reserveOne(ada, sku);
  const { reservation_id, stock_hash } = reserved.data;
  await till.sell(sku, 1);
  const known = await ada.callUntil(
    'check_stock',
    { reservation_id },
    (answer) => answer.data.stock_hash !== stock_hash,
  );
  tell('2. A sale elsewhere: the checksum is stale, the order is held, re-checked, then placed', [
    `Ada reserves 1 of 3 ${sku}, checksum ${short(stock_hash)}.`,
    `The shop’s till sells one. A heartbeat later the ledger knows: the checksum is now ${short(known.data.stock_hash)}.`,
  ]);
  const placed = await submitUntilFinal(ada, reservation_id, stock_hash);
  expect(
    placed.hash_verdict === 'stale' && placed.status === 'placed',
    'a stale order that stock still covers is placed',
  );
  const order = await ask(ada, 'get_order', { order_id: placed.order_id });
  const events = listEvents(order);
  expect(
    ['order.held', 'order.revalidated', 'order.placed'].every((event) => events.includes(event)),
    'the timeline tells it',
  );
  say([
    'Ada submits the checksum she decided on: verdict “stale”. Nothing is sold; the units stay hers while the shop is read again.',
    `There is still enough for her: accepted, placed as ${placed.upstream.order_name}. The timeline:`,
    ...order.data.timeline.map(
      (entry: { at: string; detail: string }) => `    ${clock(entry.at)}  ${entry.detail}`,
    ),
  ]);
}

async function refuseWhatIsGone({ ada, till }: Stage): Promise<void> {
  const sku: string = SEED_SKUS.scarce;
  const reserved = await reserveOne(ada, sku);
  const { reservation_id, stock_hash } = reserved.data;
  await till.sell(sku, 1);
  await ada.callUntil('check_stock', { reservation_id }, (answer) => answer.data.stock_hash !== stock_hash);
  const rejected = await submitUntilFinal(ada, reservation_id, stock_hash);
  expect(rejected.status === 'rejected', 'an order that stock no longer covers is rejected');
  await waitFor(
    async () => (await till.available(sku)) === 0,
    'the shop has let go of what it held for the rejected order',
  );
  tell('3. A sale elsewhere that takes the unit she holds: rejected, not oversold', [
    `Ada reserves the last ${sku}. The till sells it anyway: over the counter nobody asks Holdfast.`,
    `She submits: stale → held → the shop is read again → rejected (${rejected.reasons[0].code}). Her hold is freed, the shop stands at ${await till.available(sku)}.`,
    'Without the check this would have been the refund e-mail.',
  ]);
}

async function oneLastUnit({ ada, ben }: Stage): Promise<void> {
  const sku: string = SEED_SKUS.lastOne;
  const wish = { lines: [{ sku, quantity: 1 }] };
  const answers = await Promise.all(
    [ada, ben].map(async (agent) => ({ agent, answer: await agent.call('reserve_units', wish) })),
  );
  const winners = answers.filter(({ answer }) => !answer.refused);
  const losers = answers.filter(({ answer }) => answer.refused);
  const [winner] = winners;
  const [loser] = losers;
  expect(winners.length === 1 && losers.length === 1, 'exactly one of two agents gets the last unit');
  if (winner === undefined || loser === undefined) return;
  expect(loser.answer.data.error.code === 'stock_insufficient', 'the other is told that there is none left');
  const sold = await submitUntilFinal(
    winner.agent,
    winner.answer.data.reservation_id,
    winner.answer.data.stock_hash,
  );
  expect(sold.status === 'placed', 'the winner’s order is placed');
  tell('4. Two agents, two servers, one last unit', [
    `Ada and Ben both reserve the last ${sku} at the same moment, through different servers.`,
    `${winner.agent.name} gets it and orders it (${sold.upstream.order_name}). ${loser.agent.name} is told ${loser.answer.data.error.code}: 0 can be promised.`,
  ]);
}

async function discontinued({ ada }: Stage): Promise<void> {
  const sku: string = SEED_SKUS.discontinued;
  const [item] = (await ask(ada, 'check_stock', { skus: [sku] })).data.items;
  const refusal = await ada.call('reserve_units', { lines: [{ sku, quantity: 1 }] });
  expect(
    item.status === 'discontinued' && item.available_to_promise === 0,
    'a discontinued item promises nothing',
  );
  expect(refusal.refused && refusal.data.error.code === 'item_discontinued', 'and can’t be reserved');
  tell('5. A discontinued product that still has boxes on the shelf', [
    `check_stock: ${sku} is ${item.availability.status}, ${item.available_to_promise} can be promised.`,
    `reserve_units is refused: ${refusal.data.error.code}. (A fashion shop sold 247 units of such a SKU in six days.)`,
  ]);
}

async function proveIt({ till, db }: Stage): Promise<void> {
  const { verifyLedgerFile } = await import('../../store/sqlite/verify.js');
  const report = verifyLedgerFile(db);
  expect(report.ok, `the ledger proves itself: ${JSON.stringify(report.problems)}`);
  const orders = await till.orders();
  const names = orders.map(({ name }) => name);
  const payments = [...new Set(orders.map(({ payment }) => payment.toLowerCase()))].join(', ');
  expect(names.length === 3, 'the shop has exactly the three orders that were placed');
  tell('6. The books', [
    `The shop has ${names.length} orders: ${[...names].sort().join(', ')}. Three were accepted, none is doubled, none is missing.`,
    `How they are paid: ${payments}. Nobody has paid here, so that is what the shop should say (HOLDFAST_ORDER_PAYMENT).`,
    `The journal’s ${report.journal_entries} entries form one unbroken hash chain, and every count in the ledger adds up.`,
  ]);
}

/** Leaves everything running until Ctrl-C. */
async function stay({ urls, environment }: Stage): Promise<void> {
  const configuration = {
    mcpServers: { holdfast: { command: process.execPath, args: [HOLDFAST, 'serve'], env: environment } },
  };
  tell('Everything stays up (Ctrl-C ends it)', [
    `Shop      ${urls.shop}/admin/api/2026-10/graphql.json (token shpat_sandbox)`,
    `MCP       ${urls.mcp}`,
    'Claude Code:',
    `    claude mcp add --transport http holdfast ${urls.mcp}`,
    'Claude Desktop (claude_desktop_config.json), a second server on the same ledger:',
    ...JSON.stringify(configuration, null, 2)
      .split('\n')
      .map((line) => `    ${line}`),
  ]);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}

/** A call that must not be refused. */
async function ask(agent: Agent, tool: string, args: Record<string, unknown>): Promise<ToolAnswer> {
  const answer = await agent.call(tool, args);
  expect(!answer.refused, `${tool} answers, but it said ${JSON.stringify(answer.data)}`);
  return answer;
}

/**
 * A unit that has just been mirrored or placed may count twice for a moment, which promises less, never more: an
 * agent that is told so tries again.
 */
function reserveOne(agent: Agent, sku: string): Promise<ToolAnswer> {
  return agent.callUntil('reserve_units', { lines: [{ sku, quantity: 1 }] }, (answer) => !answer.refused);
}

/** Submits, and follows `next` as an agent would: get_order until the word is final. */
async function submitUntilFinal(
  agent: Agent,
  reservation_id: string,
  stock_hash: string,
): Promise<ToolAnswer['data']> {
  const submitted = await ask(agent, 'submit_order_with_hash', { reservation_id, stock_hash });
  const { order_id } = submitted.data;
  const isFinal = (answer: ToolAnswer): boolean => !['held', 'accepted'].includes(answer.data.status);
  return (await agent.callUntil('get_order', { order_id }, isFinal)).data;
}

function listEvents(order: ToolAnswer): string[] {
  return order.data.timeline.map((entry: { event: string }) => entry.event);
}

const WAIT_MAX_MS = 20_000;

async function waitFor(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MAX_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`It did not come true that ${what}.`);
    await new Promise((resume) => setTimeout(resume, 50));
  }
}

function expect(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`It did not end as told: ${what}.`);
}

function tell(title: string, lines: readonly string[]): void {
  console.log(`\n── ${title}`);
  say(lines);
}

function say(lines: readonly string[]): void {
  for (const line of lines) console.log(`   ${line}`);
}

function short(hash: string): string {
  return `${hash.slice(0, 15)}…`;
}

function clock(iso: string): string {
  return iso.slice(11, 19);
}
