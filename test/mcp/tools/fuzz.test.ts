/**
 * Arguments as no agent would send them, and as some do: from each tool's own schema valid ones, ones with one thing wrong,
 * and anything at all. Every answer is a success of the right shape, or a refusal of the contract. FUZZ_RUNS for more, FUZZ_SEED for others.
 */

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OTHER_RETRIES, RETRY_BY_CODE } from '../../../src/ledger/model/values/refusal.js';
import type { JsonSchema } from '../../../src/mcp/kit/arguments.js';
import type { Tool } from '../../../src/mcp/kit/tool.js';
import { TOOLS, type ToolContext } from '../../../src/mcp/server.js';
import { verifyLedgerFile } from '../../../src/store/sqlite/verify.js';
import { AGENT_CALLER, answerOf, STORE, TestLedger, WAREHOUSE } from '../../helpers/ledger.js';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20261128);
const NO_LIMIT = 0;
/** Stands in what callers send, and may stand in no sentence of ours. */
const MARK = 'zqxjkv';
/** Deeper than any stack, and less than a body may be long. */
const DEPTH = 100_000;

let t: TestLedger;
let context: ToolContext;
let bugs: unknown[];
/** Names that mean something to this ledger, by the field that wants them. */
let known: Readonly<Record<string, readonly string[]>>;

beforeEach(async () => {
  t = await TestLedger.open();
  await t.seed({ sku: 'tee', levels: { [WAREHOUSE]: 1_000_000, [STORE]: 500 } });
  await t.seed({ sku: 'cap', levels: { [WAREHOUSE]: 3 } });
  await t.seed({ sku: 'gone', lifecycle: 'discontinued' });
  const live = await Promise.all(Array.from({ length: 12 }, () => t.granted('tee', 1)));
  const [released, sold] = [await t.granted('tee', 2), await t.granted('tee', 3)];
  await t.release(released.reservation_id);
  const { order_id } = answerOf(await t.submit(sold));
  known = {
    sku: ['tee', 'tee', 'tee', 'cap', 'gone', `${MARK}-sku`],
    reservation_id: [...live, released, sold]
      .map(({ reservation_id }) => reservation_id)
      .concat(`res_${MARK}`),
    order_id: [order_id, `ord_${MARK}`],
    stock_hash: [sold.stock_hash, sold.stock_hash, `sha256:${'0'.repeat(64)}`, `sha256:${MARK}`],
    location_id: [WAREHOUSE, STORE, MARK],
  };
  bugs = [];
  context = {
    ledger: t.ledger,
    caller: AGENT_CALLER,
    reportBug: (error) => `bug-${bugs.push(error)}`,
  };
});
afterEach(() => t.close());

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
}

/** What a schema allows, with names that exist more often than not. */
function valid(schema: Schema, field = ''): fc.Arbitrary<unknown> {
  const names = known[field === 'skus' ? 'sku' : field];
  switch (schema.type) {
    case 'object': {
      const { properties = {}, required = [] } = schema;
      const parts = Object.entries(properties).map(([name, part]) => [name, valid(part, name)] as const);
      return fc.record(Object.fromEntries(parts), { requiredKeys: [...required] });
    }
    case 'array':
      return fc.array(valid(schema.items ?? {}, field), { minLength: 1, maxLength: schema.maxItems ?? 5 });
    case 'integer':
      return fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: 1, max: 3 }) },
        {
          weight: 1,
          arbitrary: fc.integer({ min: schema.minimum ?? -1_000, max: schema.maximum ?? 1_000_000 }),
        },
      );
    case 'boolean':
      return fc.boolean();
    default:
      break;
  }
  if (names !== undefined) return fc.constantFrom(...names);
  if (schema.format === 'email') return fc.constantFrom('ada@example.com', 'grace@example.org');
  if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern));
  return fc.oneof(fc.string({ maxLength: schema.maxLength ?? 50 }), fc.constant(MARK));
}

const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);

/** Anything that JSON can carry, and what is known to hurt. */
const wild: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<unknown>(
      null,
      '',
      MARK,
      '\ud800',
      `a\udfff${MARK}`,
      '\u0000',
      '\u202e',
      -1,
      0,
      -0,
      0.5,
      1e21,
      1e308,
      2 ** 53 + 2,
      Number.MIN_SAFE_INTEGER,
      JSON.parse(`{"__proto__":{"sku":"${MARK}"},"constructor":1,"toString":null}`),
      { length: 1e9 },
      [[], {}, [null]],
    ),
  },
  { weight: 1, arbitrary: fc.constant('x'.repeat(1_000_000)) },
  { weight: 1, arbitrary: fc.constant(Array.from({ length: 10_000 }, () => ({ sku: 'tee', quantity: 1 }))) },
  { weight: 1, arbitrary: fc.constantFrom(7, 8, 9, 50).map(nested) },
);

/** Valid, but for one place in it that is something else, is missing, or is there besides. */
function nearlyValid(schema: Schema): fc.Arbitrary<unknown> {
  return fc
    .tuple(valid(schema), fc.nat(), wild, fc.constantFrom('put', 'drop', 'add'))
    .map(([args, at, odd, how]) => {
      const places = placesIn(args);
      const place = places[at % places.length];
      if (place === undefined) return odd;
      const { holder, key } = place;
      if (how === 'put') holder[key] = odd;
      else if (how === 'drop') delete holder[key];
      else holder[MARK] = odd;
      return args;
    });
}

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

function placesIn(value: unknown): Place[] {
  if (value === null || typeof value !== 'object') return [];
  const holder = value as Record<string, unknown>;
  return Object.entries(holder).flatMap(([key, part]) => [{ holder, key }, ...placesIn(part)]);
}

function schemaOf(tool: Tool): Schema {
  return tool.inputSchema['~standard'].jsonSchema.input({ target: 'draft-2020-12' }) as JsonSchema as Schema;
}

type Kind = 'success' | 'refusal' | 'arguments_invalid';

/** Throws unless it is an answer that an agent can use. */
async function answerTo(tool: Tool, args: unknown): Promise<Kind> {
  const { isError, structuredContent } = await tool.run(context, args);
  expect(bugs).toEqual([]);
  if (isError !== true) {
    expect(tool.output.safeParse(structuredContent).error).toBeUndefined();
    return 'success';
  }
  const { error } = structuredContent as { error: { code: string; message: string; retry: string } };
  expect(Object.hasOwn(RETRY_BY_CODE, error.code), error.code).toBe(true);
  expect(['internal', 'busy']).not.toContain(error.code);
  const others: Partial<Record<string, readonly string[]>> = OTHER_RETRIES;
  const retries = [RETRY_BY_CODE[error.code as keyof typeof RETRY_BY_CODE], ...(others[error.code] ?? [])];
  expect(retries).toContain(error.retry);
  expect(error.message).not.toContain(MARK);
  return error.code === 'arguments_invalid' ? error.code : 'refusal';
}

describe.each(TOOLS.map((tool) => ({ tool, name: tool.name })))('$name', ({ tool }) => {
  test(`L2, L6: has a clean answer to whatever it is sent (${RUNS} runs, seed ${SEED})`, {
    timeout: NO_LIMIT,
  }, async () => {
    const kinds: Record<Kind, number> = { success: 0, refusal: 0, arguments_invalid: 0 };
    const schema = schemaOf(tool);
    const args = fc.oneof(
      { weight: 3, arbitrary: valid(schema) },
      { weight: 4, arbitrary: nearlyValid(schema) },
      { weight: 1, arbitrary: wild },
    );
    await fc.assert(
      fc.asyncProperty(args, async (sent) => {
        kinds[await answerTo(tool, sent)] += 1;
      }),
      { numRuns: RUNS, seed: SEED },
    );
    expect(verifyLedgerFile(t.path).problems).toEqual([]);
    console.log(`${tool.name}: ${JSON.stringify(kinds)}`);
    // It was understood often enough to have got behind the schema, and not always.
    expect(kinds.success + kinds.refusal).toBeGreaterThan(RUNS / 10);
    expect(kinds.refusal + kinds.arguments_invalid).toBeGreaterThan(RUNS / 10);
  });

  test('answers arguments that are nested deeper than any stack', async () => {
    expect(await answerTo(tool, nested(DEPTH))).toBe('arguments_invalid');
    expect(await answerTo(tool, { [MARK]: nested(DEPTH) })).toBe('arguments_invalid');
    const first = Object.keys(schemaOf(tool).properties ?? {})[0] ?? '';
    expect(await answerTo(tool, { [first]: nested(DEPTH) })).not.toBe('success');
  });
});
