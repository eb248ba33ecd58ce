/** The one wrapper around every tool: arguments in, a result or a refusal out, and nothing thrown at a client. */

import type { CallToolResult, StandardSchemaWithJSON, ToolAnnotations } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { Ledger } from '../../ledger/ledger.js';
import { type Refusal, type RefusalCode, type Result, refused } from '../../ledger/model/values/refusal.js';
import { StoreBusy } from '../../ledger/state/state.js';
import { type JsonSchema, readArguments } from './arguments.js';
import type { Caller, Scope } from './caller.js';

/** What tools may use, whoever calls them. */
export interface ToolHost {
  readonly ledger: Ledger;
  /** Only tools that read are there; left out, all of them. The ledger refuses the rest by itself, too. */
  readonly read_only?: boolean;
  /** Where bugs go. Never to the client, who gets the request id that this answers with. */
  readonly reportBug: (error: unknown, tool: string) => string;
  /** Told of every call as it begins, so that a server that stops can wait for those under way. */
  readonly onCall?: (call: Promise<unknown>) => void;
  /** Told of every answer: how long it took, and the code where it is a refusal. */
  readonly onAnswer?: (tool: string, seconds: number, code: RefusalCode | null) => void;
}

/** The same, and who asks. */
export interface ToolContext extends ToolHost {
  readonly caller: Caller;
}

export interface Tool {
  readonly name: string;
  /** What a caller's token has to allow. */
  readonly scope: Scope;
  /** Over HTTP a call counts as so many requests: 1, or more where it takes more of the thread that everybody shares. */
  readonly cost: number;
  readonly title: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
  readonly inputSchema: StandardSchemaWithJSON<unknown, unknown>;
  /** The outline of `output` that clients are shown. */
  readonly outputSchema: StandardSchemaWithJSON<unknown, unknown>;
  /** What a success holds, exactly. Tests hold every answer against it; it costs clients nothing. */
  readonly output: z.ZodType;
  readonly run: (context: ToolContext, args: unknown) => Promise<CallToolResult>;
}

export interface ToolDefinition<Input extends z.ZodType, Value> {
  readonly name: string;
  readonly scope: Scope;
  /** Left out: 1. */
  readonly cost?: number;
  readonly title: string;
  /** Important sentence first. Every client pays for it with every conversation: keep it short. */
  readonly description: string;
  readonly annotations: ToolAnnotations;
  readonly input: Input;
  /** Some of the input takes time to judge. Left out: none of it. */
  readonly isAsyncInput?: boolean;
  readonly output: z.ZodType;
  readonly call: (context: ToolContext, args: z.output<Input>) => Promise<Result<Value>>;
}

export function defineTool<Input extends z.ZodType, Value>(definition: ToolDefinition<Input, Value>): Tool {
  const { name, scope, title, description, annotations, input, output, call } = definition;
  const inputSchema = advertised(input, lean);
  const parse = async (args: unknown) =>
    definition.isAsyncInput === true
      ? input.safeParseAsync(args, { reportInput: true })
      : input.safeParse(args, { reportInput: true });
  return {
    name,
    scope,
    cost: definition.cost ?? 1,
    title,
    description,
    annotations: { openWorldHint: false, ...annotations },
    inputSchema,
    outputSchema: advertised(output, outline),
    output,
    run: (context, args) => {
      const running = context.onAnswer === undefined ? run(context, args) : timed(context, args);
      context.onCall?.(running);
      return running;
    },
  };

  async function timed(context: ToolContext, args: unknown): Promise<CallToolResult> {
    const began_ms = performance.now();
    const result = await run(context, args);
    const refusal =
      result.isError === true ? (result.structuredContent as { readonly error: Refusal }).error : null;
    context.onAnswer?.(name, (performance.now() - began_ms) / 1_000, refusal?.code ?? null);
    return result;
  }

  async function run(context: ToolContext, args: unknown): Promise<CallToolResult> {
    if (!context.caller.scopes.has(scope)) return lacking(scope);
    const { args: read, ignored } = readArguments(args ?? {}, readJsonSchema(inputSchema));
    return addIgnored(await answer(context, read), ignored);
  }

  async function answer(context: ToolContext, args: unknown): Promise<CallToolResult> {
    const parsed = await parse(args);
    if (!parsed.success) return malformed(parsed.error);
    try {
      const result = await call(context, parsed.data);
      return result.ok ? success(result.value) : refusalResult(result.refusal);
    } catch (error) {
      return failure(context, name, error);
    }
  }
}

function readJsonSchema(schema: StandardSchemaWithJSON<unknown, unknown>): JsonSchema {
  return schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' });
}

/** A second text: the first stays the answer's JSON, which some clients parse. */
function addIgnored(result: CallToolResult, ignored: readonly string[]): CallToolResult {
  if (ignored.length === 0) return result;
  const text = `Ignored, because this tool has no such argument: ${ignored.join(', ')}.`;
  return { ...result, content: [...result.content, { type: 'text', text }] };
}

function success(value: unknown): CallToolResult {
  const structuredContent = value as Record<string, unknown>;
  return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
}

/** Some clients show their model only the text, others only the structured content: both are complete. */
export function refusalResult(refusal: Refusal): CallToolResult {
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

function lacking(scope: Scope): CallToolResult {
  const message = `This tool needs the scope ${scope}, and the token does not have it. Ask whoever gave you the token.`;
  return refusalResult(refused('scope_missing', message, { scope }).refusal);
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
  const request_id = context.reportBug(error, tool);
  const { refusal } = refused(
    'internal',
    'Something went wrong in the server; its log has the details under this request_id. If you sent an idempotency_key, send the same request again later.',
    { request_id },
  );
  return refusalResult(refusal);
}

/** Which refusal a bad argument is, by the innermost field it is in. */
const CODE_BY_FIELD: Readonly<Record<string, RefusalCode>> = {
  sku: 'sku_unknown',
  skus: 'sku_unknown',
  location_id: 'location_unknown',
  stock_hash: 'stock_hash_malformed',
  reservation_id: 'reservation_unknown',
  replaces: 'reservation_unknown',
  order_id: 'order_unknown',
};

/** Names the first bad field and what it wants. */
function malformed(error: z.ZodError): CallToolResult {
  const [issue] = error.issues;
  if (issue === undefined) throw new Error('a failed parse has an issue');
  const field = issue.path.join('.') || 'arguments';
  const message = `${field}: ${issue.message}`;
  return refusalResult(refused(chooseCode(issue), message, { field }).refusal);
}

/** A field that is not there says nothing about what it would have named. */
function chooseCode(issue: z.core.$ZodIssue): RefusalCode {
  const last = issue.path.at(-1);
  if (last === 'quantity') return 'units_invalid';
  if ((last === 'skus' || last === 'lines') && issue.code === 'too_big') return 'lines_over_limit';
  const isMissing = issue.code === 'invalid_type' && issue.input === undefined;
  const isList = last === 'skus' || last === 'lines';
  const named = isMissing || isList ? undefined : issue.path.findLast((key) => typeof key === 'string');
  return (typeof named === 'string' ? CODE_BY_FIELD[named] : undefined) ?? 'arguments_invalid';
}

/**
 * The schema as clients see it, converted once instead of once a call. Arguments are validated by `run`, so
 * that every refusal has a code; the SDK is told to let them through.
 */
function advertised(
  schema: z.ZodType,
  shorten: (schema: JsonSchema) => JsonSchema,
): StandardSchemaWithJSON<unknown, unknown> {
  let converted: JsonSchema | undefined;
  const json = (io: 'input' | 'output') => (): Record<string, unknown> => {
    converted ??= shorten(z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema);
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

/** What costs tokens and tells a model nothing: the dialect, bounds that every value has, and a format spelt out. */
const IDLE: Readonly<Record<string, (value: unknown, schema: JsonSchema) => boolean>> = {
  $schema: () => true,
  maximum: (value) => value === Number.MAX_SAFE_INTEGER,
  minimum: (value) => value === Number.MIN_SAFE_INTEGER,
  minLength: (value) => value === 1,
  minItems: (value) => value === 1,
  pattern: (_, schema) => 'format' in schema,
};

function lean(schema: JsonSchema): JsonSchema {
  const entries = Object.entries(schema).filter(([key, value]) => IDLE[key]?.(value, schema) !== true);
  return Object.fromEntries(entries.map(([key, value]) => [key, leanValue(value)]));
}

function leanValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(leanValue);
  return isSchema(value) ? lean(value) : value;
}

interface AnswerSchema {
  readonly type: string;
  readonly properties?: Readonly<Record<string, AnswerSchema>>;
  readonly required?: readonly string[];
  readonly items?: AnswerSchema;
}

/**
 * An answer speaks for itself, so its schema says what is always there and draws only lists of objects and what
 * may be missing: the types of all fields would cost every conversation more than the rest of the tools together.
 * A refusal has structured content too, and clients of the v1 SDK hold that against the schema, whatever
 * `isError` says: without the second alternative they throw every refusal away.
 */
function outline(schema: JsonSchema): JsonSchema {
  const { type, required = [], properties = {} } = schema as unknown as AnswerSchema;
  const parts = Object.entries(properties).filter(
    ([name, part]) => isListOfObjects(part) || !required.includes(name),
  );
  return {
    type,
    anyOf: [{ required }, { required: ['error'] }],
    ...(parts.length === 0 ? {} : { properties: drawn(parts) }),
  };
}

function drawn(parts: readonly (readonly [string, AnswerSchema])[]): Record<string, JsonSchema> {
  return Object.fromEntries(parts.map(([name, part]) => [name, outlineOfPart(part)]));
}

function outlineOfPart({ type, items }: AnswerSchema): JsonSchema {
  if (items === undefined) return { type };
  const { required, properties = {} } = items;
  const lists = Object.entries(properties).filter(([, part]) => isListOfObjects(part));
  return {
    type,
    items: {
      type: items.type,
      ...(required === undefined ? {} : { required }),
      ...(lists.length === 0 ? {} : { properties: drawn(lists) }),
    },
  };
}

function isListOfObjects({ items }: AnswerSchema): boolean {
  return items?.properties !== undefined;
}

function isSchema(value: unknown): value is JsonSchema {
  return value !== null && typeof value === 'object';
}
