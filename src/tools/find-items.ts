import * as z from 'zod';
import { text } from './fields.js';
import { defineTool } from './tool.js';

const QUERY_MAX_CHARS = 200;
const LIMIT_DEFAULT = 5;
const LIMIT_MAX = 10;

const limitMessage = `wants a whole number from 1 to ${LIMIT_MAX}`;

export const findItems = defineTool({
  name: 'find_items',
  title: 'Find items',
  description: 'Finds SKUs by words in title, variant or SKU. Gives no stock: use check_stock for that.',
  annotations: { readOnlyHint: true, idempotentHint: true },
  input: z.strictObject({
    query: text(QUERY_MAX_CHARS).min(1, 'wants a word or more'),
    limit: z.int(limitMessage).min(1, limitMessage).max(LIMIT_MAX, limitMessage).default(LIMIT_DEFAULT),
  }),
  output: z.object({ items: z.array(z.object({ sku: z.string(), title: z.string(), variant: z.string() })) }),
  call: ({ ledger }, { query, limit }) => ledger.findItems(query, limit),
});
