import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  buildSchema,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  parse,
  print,
  validateSchema,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { ROOT_FIELDS } from '../../../src/sandbox/graphql/api.js';
import { APP_FIELDS_BY_TYPE } from '../../../src/sandbox/graphql/app-fields.js';
import { FIELDS_BY_TYPE } from '../../../src/sandbox/graphql/fields.js';
import { pruneSchema, readSdl } from '../prune-schema.mjs';

const PRUNED_SDL = readFileSync(
  new URL('../../../src/sandbox/graphql/admin-2026-10.graphql', import.meta.url),
  'utf8',
);
/** The schema as Shopify publishes it, 3.7 MB: not part of the repository. See the header of the pruned one. */
const FULL_PATH = fileURLToPath(
  new URL('../../../../shared/shopify/admin-2026-10.graphql.gz', import.meta.url),
);
const pruned = buildSchema(PRUNED_SDL);

describe('the pruned schema', () => {
  test('is valid by itself and small', () => {
    expect(validateSchema(pruned)).toEqual([]);
    expect(PRUNED_SDL.length).toBeLessThan(150_000);
  });

  test('has every field that the sandbox resolves, and a resolver for every root field', () => {
    const roots = [pruned.getQueryType(), pruned.getMutationType()].flatMap((root) =>
      Object.keys(root?.getFields() ?? {}),
    );
    expect([...ROOT_FIELDS].sort()).toEqual(roots.sort());
    const invented = Object.entries({ ...FIELDS_BY_TYPE, ...APP_FIELDS_BY_TYPE }).flatMap(
      ([typeName, fields]) =>
        Object.keys(fields)
          .filter(
            (field) =>
              !SHARED_FIELDS.has(`${typeName}.${field}`) && !describeType(pruned, typeName).has(field),
          )
          .map((field) => `${typeName}.${field}`),
    );
    expect(invented).toEqual([]);
  });
});

/** Resolvers that two types share, where only one of them has the field. */
const SHARED_FIELDS = new Set([
  'DraftOrder.presentmentCurrencyCode',
  'LineItem.custom',
  'DraftOrderLineItem.currentQuantity',
  'DraftOrderLineItem.unfulfilledQuantity',
]);

const isFullSchemaHere = existsSync(FULL_PATH);
if (!isFullSchemaHere)
  console.log(`skipped: the full schema is not at ${FULL_PATH.replace(/^.*\/(?=shared\/)/u, '../')}`);

describe.skipIf(!isFullSchemaHere)('against the full schema of Shopify', () => {
  test('every type, field, argument, input field and enum value that was kept is identical', () => {
    const full = buildSchema(readSdl(FULL_PATH), { assumeValidSDL: true });
    const names = Object.keys(pruned.getTypeMap()).filter((name) => !name.startsWith('__'));
    const differences = names.flatMap((name) => {
      const there = describeType(full, name);
      return [...describeType(pruned, name)]
        .filter(([member, text]) => there.get(member) !== text)
        .map(([member, text]) => `${name}.${member}: ${text} instead of ${there.get(member)}`);
    });
    expect(names.length).toBeGreaterThan(100);
    expect(differences).toEqual([]);
  });

  test('inputs and enums are complete, and the file is what the script makes of it today', () => {
    const full = buildSchema(readSdl(FULL_PATH), { assumeValidSDL: true });
    for (const [name, type] of Object.entries(pruned.getTypeMap())) {
      if (name.startsWith('__') || (!isInputObjectType(type) && !isEnumType(type))) continue;
      expect([...describeType(pruned, name).keys()], name).toEqual([...describeType(full, name).keys()]);
    }
    // Printed alike: the formatter has broken the lines of the file.
    expect(print(parse(pruneSchema(readSdl(FULL_PATH))))).toBe(print(parse(PRUNED_SDL)));
  });
});

/** A type's members, each with its type, arguments and defaults as text. */
function describeType(schema: GraphQLSchema, name: string): Map<string, string> {
  const type: GraphQLNamedType | undefined = schema.getType(name);
  const members = new Map<string, string>([['(kind)', type?.constructor.name ?? 'none']]);
  if (isEnumType(type)) for (const value of type.getValues()) members.set(value.name, deprecation(value));
  if (isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) {
      members.set(field.name, `${field.type} = ${JSON.stringify(field.defaultValue)}${deprecation(field)}`);
    }
  }
  if (isObjectType(type) || isInterfaceType(type)) {
    for (const field of Object.values(type.getFields())) {
      const args = field.args.map(
        (arg) => `${arg.name}: ${arg.type} = ${JSON.stringify(arg.defaultValue)}${deprecation(arg)}`,
      );
      members.set(field.name, `(${args.join(', ')}) ${field.type}${deprecation(field)}`);
    }
  }
  return members;
}

function deprecation({
  deprecationReason,
}: {
  readonly deprecationReason?: string | null | undefined;
}): string {
  return deprecationReason ? ` deprecated: ${deprecationReason}` : '';
}
