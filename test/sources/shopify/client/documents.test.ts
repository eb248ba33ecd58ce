import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import {
  buildSchema,
  type GraphQLSchema,
  getNamedType,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  parse,
  TypeInfo,
  validate,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import {
  type AnyOperation,
  DOCUMENTS,
  type MirrorMode,
  missingScopes,
  requiredScopes,
  SCOPE_TABLE,
} from '../../../../src/sources/shopify/client/documents.js';
import { SUBSCRIBED, TOPICS } from '../../../../src/sources/shopify/webhooks/webhook-topics.js';
import { VARIABLES } from './document-variables.js';

const VERSIONS = ['2026-04', '2026-07', '2026-10'] as const;
/** Copies of the parts that matter, with the documented access as descriptions: made by test/sandbox/prune-schema.mjs. */
const copies = VERSIONS.map((version) => {
  const url = new URL(`../schemas/admin-${version}.graphql`, import.meta.url);
  return [version, buildSchema(readFileSync(url, 'utf8'))] as const;
});
/** What the sandbox serves, and our types are made of. */
const served = buildSchema(
  readFileSync(new URL('../../../../src/sandbox/graphql/admin-2026-10.graphql', import.meta.url), 'utf8'),
);
/** The whole schema, where it is at hand. It is not part of the repository. */
const WHOLE = new URL('../../../../../shared/shopify/admin-2026-10.graphql.gz', import.meta.url);

const documents: readonly (readonly [keyof typeof DOCUMENTS, AnyOperation])[] = Object.entries(
  DOCUMENTS,
) as never;
const MODES: readonly MirrorMode[] = ['draft_order', 'move', 'none'];

/** What this schema has against a document and the variables that are sent with it. */
function flaws(schema: GraphQLSchema, { source }: AnyOperation, variables: object): string[] {
  const document = parse(source);
  const found = validate(schema, document).map((error) => error.message);
  const types = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(types, {
      Field() {
        const reason = types.getFieldDef()?.deprecationReason;
        if (reason) found.push(`deprecated field: ${reason}`);
      },
      Argument() {
        const reason = types.getArgument()?.deprecationReason;
        if (reason) found.push(`deprecated argument: ${reason}`);
      },
    }),
  );
  const [operation] = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  if (found.length === 0) found.push(...unfit(schema, operation, { ...variables }));
  return found;
}

function unfit(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode | undefined,
  variables: Record<string, unknown>,
): string[] {
  const definitions = operation?.variableDefinitions ?? [];
  const { errors, coerced } = getVariableValues(schema, definitions, variables);
  const names = new Set(definitions.map(({ variable }) => variable.name.value));
  const strays = Object.keys(variables).filter((name) => !names.has(name));
  const missing = [...names].filter((name) => coerced !== undefined && !(name in coerced));
  return [
    ...(errors ?? []).map((error) => error.message),
    ...strays.map((name) => `a variable that the document does not have: ${name}`),
    ...missing.map((name) => `a variable without a sample: ${name}`),
  ];
}

/** Of each thing a document touches, the scopes of which one is enough. Shopify: "`a` access scope or `b` access scope". */
function wanted(schema: GraphQLSchema, { source }: AnyOperation): readonly (readonly string[])[] {
  const types = new TypeInfo(schema);
  const found = new Map<string, readonly string[]>();
  const note = (access: string | null | undefined) => {
    const scopes = access?.split('Also:')[0]?.match(/(?<=`)(read|write)_[a-z_]+(?=`)/g) ?? [];
    if (access && scopes.length > 0) found.set(access, scopes);
  };
  visit(
    parse(source),
    visitWithTypeInfo(types, {
      Field() {
        note(types.getFieldDef()?.description);
        note(types.getParentType()?.description);
        const type = types.getType();
        if (type) note(getNamedType(type).description);
      },
    }),
  );
  return [...found.values()];
}

function grantedBy(scopes: readonly string[]): ReadonlySet<string> {
  return new Set(scopes.flatMap((scope) => [scope, scope.replace(/^write_/, 'read_')]));
}

/** What is used although it is deprecated: the one way to leave an order to be paid that every shop takes. */
const DEPRECATED_USES: Readonly<Record<string, readonly string[]>> = {
  complete_hold: [
    'deprecated argument: Create a draft with payment terms rather than marking the draft as pending.',
  ],
};

/**
 * Variants say where they are published since 2026-07. API_VERSION is later, and Shopify answers with a later version than the one
 * that is asked for, never with an earlier one.
 */
const NEWER_THAN_2026_04: ReadonlySet<string> = new Set([
  'items',
  'items_by_id',
  'item_variants',
  'listings',
]);

describe('documents', () => {
  describe.each([...copies, ['of the sandbox', served] as const])('in the schema %s', (version, schema) => {
    const its = documents.filter(([key]) => version !== '2026-04' || !NEWER_THAN_2026_04.has(key));
    it.each(its)('%s and its variables are valid, and free of what is deprecated', (key, operation) => {
      expect(flaws(schema, operation, VARIABLES[key])).toEqual(DEPRECATED_USES[key] ?? []);
    });
  });

  if (existsSync(WHOLE)) {
    const whole = buildSchema(gunzipSync(readFileSync(WHOLE)).toString('utf8'), { assumeValid: true });
    it.each(documents)('%s and its variables are valid in the whole schema', (key, operation) => {
      expect(flaws(whole, operation, VARIABLES[key])).toEqual(DEPRECATED_USES[key] ?? []);
    });
  } else {
    console.info('documents: the whole Admin schema is not here; checked against copies of its parts');
  }

  it.each(copies)('a wrong field, argument or variable is noticed in %s', (_, schema) => {
    const { source, ...rest } = DOCUMENTS.create_hold;
    const wrong = (from: string, to: string) => ({ ...rest, source: source.replace(from, to) });
    const good = VARIABLES.create_hold;
    const line = { variantId: 'gid://shopify/ProductVariant/1', quantity: 1 };
    expect(flaws(schema, DOCUMENTS.create_hold, good)).toEqual([]);
    expect(flaws(schema, wrong('userErrors', 'userErorrs'), good)).not.toEqual([]);
    expect(flaws(schema, wrong('draftOrderCreate(input:', 'draftOrderCreate(inputs:'), good)).not.toEqual([]);
    expect(flaws(schema, DOCUMENTS.create_hold, {})).not.toEqual([]);
    expect(flaws(schema, DOCUMENTS.create_hold, { ...good, stray: 1 })).not.toEqual([]);
    expect(
      flaws(schema, DOCUMENTS.create_hold, { input: { lineItems: [{ ...line, quantity: 1.5 }] } }),
    ).not.toEqual([]);
    expect(
      flaws(schema, DOCUMENTS.create_hold, { input: { lineItems: [{ ...line, sku_: 'x' }] } }),
    ).not.toEqual([]);
  });

  it('nothing of a customer is asked for', () => {
    const personal = /email|phone|customer|address|firstName|lastName|note$|clientIp|locale/i;
    for (const [key, { source }] of documents) {
      const asked: string[] = [];
      visit(parse(source), { Field: ({ name }) => void asked.push(name.value) });
      expect([key, asked.filter((name) => personal.test(name))]).toEqual([key, []]);
    }
  });

  it.each(documents)(
    '%s holds one operation, named as the table says, and says how it may be retried',
    (_, operation) => {
      const operations = parse(operation.source).definitions.filter(
        (d) => d.kind === Kind.OPERATION_DEFINITION,
      );
      expect(operations.map((d) => d.name?.value)).toEqual([operation.name]);
      expect(operations[0]?.operation === 'query').toBe(operation.retry === 'read');
    },
  );

  it('operation names are unique, so that a log line names one document', () => {
    expect(new Set(documents.map(([, operation]) => operation.name)).size).toBe(documents.length);
  });

  it('the types are those of the committed schema', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-types-'));
    try {
      const output = join(folder, 'graphql-env.d.ts');
      const root = new URL('../../../..', import.meta.url).pathname;
      const cli = join(root, 'node_modules/gql.tada/bin/cli.js');
      await promisify(execFile)(process.execPath, [cli, 'generate-output', '--output', output], {
        cwd: root,
      });
      const committed = new URL('../../../../src/sources/shopify/client/graphql-env.d.ts', import.meta.url);
      expect(words(await readFile(committed, 'utf8'))).toBe(words(await readFile(output, 'utf8')));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** Without what a formatter may change. */
function words(text: string): string {
  return text.replace(/[^A-Za-z0-9_]+/g, ' ').trim();
}

describe('scopes', () => {
  it.each(
    copies.flatMap(([version, schema]) =>
      documents.map(([key, operation]) => [version, key, operation, schema] as const),
    ),
  )('in %s, those of %s are what Shopify documents, and no more', (_, __, operation, schema) => {
    const granted = grantedBy(operation.scopes);
    const documented = wanted(schema, operation);
    expect(documented.filter((any) => !any.some((scope) => granted.has(scope)))).toEqual([]);
    const useful = (scope: string) =>
      documented.some((any) => any.some((one) => grantedBy([scope]).has(one)));
    expect(operation.scopes.filter((scope) => !useful(scope))).toEqual([]);
  });

  it('a scope that is missing from the table of a document is noticed', () => {
    const [, schema] = copies[2] as (typeof copies)[number];
    const granted = grantedBy(['read_products']);
    expect(wanted(schema, DOCUMENTS.items).some((any) => !any.some((scope) => granted.has(scope)))).toBe(
      true,
    );
  });

  it.each(['draft_order', 'none'] as const)(
    'mode %s needs no scope that lets it write stock or orders',
    (mirror) => {
      expect(requiredScopes({ mirror })).toEqual([
        'read_draft_orders',
        'read_inventory',
        'read_locations',
        'read_orders',
        'read_products',
        'read_returns',
        'write_draft_orders',
      ]);
    },
  );

  it('mode move needs the two that write stock and orders besides', () => {
    const [plain, move] = [requiredScopes({ mirror: 'none' }), requiredScopes({ mirror: 'move' })];
    expect(move.filter((scope) => !plain.includes(scope))).toEqual(['write_inventory', 'write_orders']);
  });

  it.each(MODES)(
    'moving orders to their promised places needs two more, in mode %s, and only where it is on',
    (mirror) => {
      const plain = requiredScopes({ mirror });
      const routing = requiredScopes({ mirror, is_routing: true });
      expect(routing.filter((scope) => !plain.includes(scope))).toEqual([
        'read_merchant_managed_fulfillment_orders',
        'write_merchant_managed_fulfillment_orders',
      ]);
      expect(requiredScopes({ mirror, is_routing: true, read_only: true })).toEqual(
        requiredScopes({ mirror, read_only: true }),
      );
      for (const scope of routing) expect(SCOPE_TABLE[scope]).toMatch(/^to [a-z]/);
    },
  );

  it.each(MODES)('a server that only reads needs none that writes, in mode %s either', (mirror) => {
    const all = requiredScopes({ mirror });
    const reads = all.filter((scope) => scope.startsWith('read_'));
    expect(requiredScopes({ mirror, read_only: true })).toEqual(reads);
    expect(reads.length).toBeLessThan(all.length);
  });

  it('each has a reason that a merchant can be told', () => {
    for (const mirror of MODES) {
      for (const scope of requiredScopes({ mirror })) expect(SCOPE_TABLE[scope]).toMatch(/^to [a-z]/);
    }
  });

  it('webhook topics that we subscribe to want no other', () => {
    const granted = grantedBy(requiredScopes({ mirror: 'none' }));
    for (const { topic } of SUBSCRIBED) {
      const url = new URL(`../webhook-samples/${topic.replace('/', '.')}.json`, import.meta.url);
      const { access_scopes = [] } = JSON.parse(readFileSync(url, 'utf8')) as { access_scopes?: string[] };
      const enough =
        access_scopes.length === 0 || access_scopes.some((scope) => granted.has(`read_${scope}`));
      expect([topic, enough]).toEqual([topic, true]);
    }
  });

  it('a write scope grants its read scope', () => {
    const wanted = requiredScopes({ mirror: 'draft_order' });
    const granted = [
      'read_inventory',
      'read_locations',
      'read_products',
      'read_orders',
      'read_returns',
      'write_draft_orders',
    ];
    expect(missingScopes(granted, wanted)).toEqual([]);
    expect(missingScopes(['write_draft_orders', 'read_returns'], wanted)).toEqual([
      'read_inventory',
      'read_locations',
      'read_orders',
      'read_products',
    ]);
  });
});

describe('webhook topics', () => {
  it.each(copies)('are those of the schema %s, and each is subscribed to under its own name', (_, schema) => {
    for (const [topic, { subscribe }] of Object.entries(TOPICS)) {
      if (subscribe === null) continue;
      expect(subscribe).toBe(topic.replace('/', '_').toUpperCase());
      const errors = flaws(schema, DOCUMENTS.subscribe, { ...VARIABLES.subscribe, topic: subscribe });
      expect([topic, errors]).toEqual([topic, []]);
    }
  });
});
