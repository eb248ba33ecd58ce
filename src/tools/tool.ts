/** The one wrapper around every tool: arguments in, a result or a refusal out, and nothing thrown at a client. */

import { randomUUID } from 'node:crypto';
import type { CallToolResult, StandardSchemaWithJSON, ToolAnnotations } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { Ledger } from '../ledger/ledger.js';
import { StoreBusy } from '../ledger/ports.js';
import { type Refusal, type RefusalCode, type Result, refused } from '../ledger/refusal.js';

/** What a tool may use, and who asks. The principal comes from the transport, never from arguments. */
export interface ToolContext {
  readonly ledger: Ledger;
  readonly principal: string;
  /** Where bugs go. Never to the client. */
  readonly reportBug: (error: unknown, context: { tool: string; request_id: string }) => void;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
  readonly inputSchema: StandardSchemaWithJSON<unknown, unknown>;
  readonly outputSchema: StandardSchemaWithJSON<unknown, unknown>;
  readonly run: (context: ToolContext, args: unknown) => Promise<CallToolResult>;
}

export interface ToolDefinition<Input extends z.ZodType> {
  readonly name: string;
  readonly title: string;
  /** Important sentence first. Every client pays for it with every conversation: keep it short. */
  readonly description: string;
  readonly annotations: ToolAnnotations;
  readonly input: Input;
  readonly output: z.ZodType;
  readonly call: (context: ToolContext, args: z.output<Input>) => Promise<Result<unknown>>;
}

export function defineTool<Input extends z.ZodType>(definition: ToolDefinition<Input>): Tool {
  const { name, title, description, annotations, input, output, call } = definition;
  return {
    name,
    title,
    description,
    annotations: { title, openWorldHint: false, ...annotations },
    inputSchema: advertised(input),
    outputSchema: advertised(output),
    run: async (context, args) => {
      const parsed = input.safeParse(args ?? {});
      if (!parsed.success) return malformed(parsed.error);
      try {
        const result = await call(context, parsed.data);
        return result.ok ? success(result.value) : refusalResult(result.refusal);
      } catch (error) {
        return failure(context, name, error);
      }
    },
  };
}

function success(value: unknown): CallToolResult {
  const structuredContent = value as Record<string, unknown>;
  return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
}

/** Some clients show their model only the text, others only the structured content: both are complete. */
function refusalResult(refusal: Refusal): CallToolResult {
  const { code, message, retry, retry_after_seconds, details } = refusal;
  const error = {
    code,
    message,
    retry,
    ...(retry_after_seconds === undefined ? {} : { retry_after_seconds }),
    details,
  };
  return { ...success({ error }), isError: true };
}

function failure(context: ToolContext, tool: string, error: unknown): CallToolResult {
  if (error instanceof StoreBusy) {
    const { refusal } = refused(
      'busy',
      'The ledger is busy. Nothing was changed. Send the same request again.',
      {},
      1,
    );
    return refusalResult(refusal);
  }
  const request_id = randomUUID();
  context.reportBug(error, { tool, request_id });
  const { refusal } = refused(
    'internal',
    'Something went wrong in the server; its log has the details under this request_id. If you sent an idempotency_key, send the same request again later.',
    { request_id },
  );
  return refusalResult(refusal);
}

/** Which refusal a bad argument is, by the innermost field it is in. */
const CODE_BY_FIELD: Readonly<Record<string, RefusalCode>> = {
  quantity: 'units_invalid',
  sku: 'sku_unknown',
  skus: 'sku_unknown',
  location_id: 'location_unknown',
  stock_hash: 'stock_hash_malformed',
  reservation_id: 'reservation_unknown',
  order_id: 'order_unknown',
};

/** Names the first bad field and what it wants. A field that no refusal code is about is answered in words. */
function malformed(error: z.ZodError): CallToolResult {
  const [issue] = error.issues;
  if (issue === undefined) throw new Error('a failed parse has an issue');
  const path = issue.path.map(String);
  const field = path.join('.') || 'arguments';
  const named = issue.path.filter((key): key is string => typeof key === 'string').at(-1) ?? '';
  const tooMany =
    issue.code === 'too_big' && (named === 'lines' || named === 'skus') && path.at(-1) === named;
  const missing = issue.code === 'invalid_type' && issue.input === undefined && path.at(-1) !== 'quantity';
  const code = tooMany ? 'lines_over_limit' : missing ? undefined : CODE_BY_FIELD[named];
  const message = `${field}: ${issue.message}`;
  if (code !== undefined) return refusalResult(refused(code, message, { field }).refusal);
  return { content: [{ type: 'text', text: `Invalid arguments. ${message}` }], isError: true };
}

/**
 * The schema as clients see it, converted once instead of once a call. Arguments are validated by `run`, so
 * that every refusal has a code; the SDK is told to let them through.
 */
function advertised(schema: z.ZodType): StandardSchemaWithJSON<unknown, unknown> {
  let converted: Record<string, unknown> | undefined;
  const json = (io: 'input' | 'output') => (): Record<string, unknown> => {
    converted ??= lean(z.toJSONSchema(schema, { io, unrepresentable: 'any' })) as Record<string, unknown>;
    return converted;
  };
  return {
    '~standard': {
      version: 1,
      vendor: 'holdfast',
      validate: (value) => ({ value }),
      jsonSchema: { input: json('input'), output: json('output') },
    },
  };
}

/** Without what costs tokens and tells a model nothing: the dialect, and bounds that every integer has. */
function lean(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(lean);
  if (schema === null || typeof schema !== 'object') return schema;
  const entries = Object.entries(schema).filter(
    ([key, value]) =>
      key !== '$schema' &&
      !(key === 'maximum' && value === Number.MAX_SAFE_INTEGER) &&
      !(key === 'minimum' && value === Number.MIN_SAFE_INTEGER),
  );
  return Object.fromEntries(entries.map(([key, value]) => [key, lean(value)]));
}
