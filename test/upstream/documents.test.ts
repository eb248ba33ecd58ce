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
  Kind,
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
  missingScopes,
  REQUIRED_SCOPES,
} from '../../src/upstream/shopify/documents.js';

const PRUNED = new URL('../../src/sandbox/admin-2026-10.graphql', import.meta.url);
/** The whole schema, where it is at hand. It is not part of the repository. */
const WHOLE = new URL('../../../shared/shopify/admin-2026-10.graphql.gz', import.meta.url);

const documents: readonly (readonly [string, AnyOperation])[] = Object.entries(DOCUMENTS);

function flaws(schema: GraphQLSchema, { source }: AnyOperation): string[] {
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
  return found;
}

describe('documents', () => {
  const pruned = buildSchema(readFileSync(PRUNED, 'utf8'));

  it.each(documents)('%s is valid and free of deprecated fields in the pruned schema', (_, operation) => {
    expect(flaws(pruned, operation)).toEqual([]);
  });

  if (existsSync(WHOLE)) {
    const whole = buildSchema(gunzipSync(readFileSync(WHOLE)).toString('utf8'), { assumeValid: true });
    it.each(documents)('%s is valid and free of deprecated fields in the whole schema', (_, operation) => {
      expect(flaws(whole, operation)).toEqual([]);
    });
  } else {
    console.info('documents: the whole Admin schema is not here; checked against the pruned one only');
  }

  it('a schema that lacks a field is noticed', () => {
    const { source, ...rest } = DOCUMENTS.clock;
    expect(flaws(pruned, { ...rest, source: source.replace('id', 'idd') })).not.toEqual([]);
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
      const root = new URL('../..', import.meta.url).pathname;
      const cli = join(root, 'node_modules/gql.tada/bin/cli.js');
      await promisify(execFile)(process.execPath, [cli, 'generate-output', '--output', output], {
        cwd: root,
      });
      const committed = new URL('../../src/upstream/shopify/graphql-env.d.ts', import.meta.url);
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
  it('the default mode needs no scope that lets it write stock', () => {
    expect(REQUIRED_SCOPES).toEqual([
      'read_draft_orders',
      'read_inventory',
      'read_locations',
      'read_orders',
      'read_products',
      'write_draft_orders',
    ]);
  });

  it('a write scope grants its read scope', () => {
    const granted = [
      'read_inventory',
      'read_locations',
      'read_products',
      'read_orders',
      'write_draft_orders',
    ];
    expect(missingScopes(granted)).toEqual([]);
    expect(missingScopes(['write_draft_orders'])).toEqual([
      'read_inventory',
      'read_locations',
      'read_orders',
      'read_products',
    ]);
  });
});
