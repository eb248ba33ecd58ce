/** Compares the part of the Admin API's schema that this repository is built on with the one that the shop serves. */

import { readFileSync } from 'node:fs';
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
} from 'graphql';

const NAMED_MAX = 5;

/** What a document of ours might stumble over: things of ours that are gone or of another type, and new arguments that must be given. */
export async function schemaDifferences(shop) {
  const theirs = buildClientSchema(
    await shop.data(getIntrospectionQuery({ descriptions: false, inputValueDeprecation: true })),
  );
  const ours = buildSchema(
    readFileSync(new URL('../../src/sandbox/graphql/admin-2026-10.graphql', import.meta.url), 'utf8'),
  );
  const differences = Object.values(ours.getTypeMap())
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((type) => typeDifferences(type, theirs.getType(type.name)));
  if (differences.length === 0) return `yes (${Object.keys(ours.getTypeMap()).length} types compared)`;
  const more = differences.length > NAMED_MAX ? ` and ${differences.length - NAMED_MAX} more` : '';
  return `no: ${differences.slice(0, NAMED_MAX).join('; ')}${more}`;
}

function typeDifferences(our, their) {
  if (their === undefined) return [`${our.name} is gone`];
  if (our.constructor.name !== their.constructor.name) return [`${our.name} is another kind of type`];
  if (isObjectType(our) || isInterfaceType(our)) return fieldDifferences(our, their);
  if (isInputObjectType(our)) return inputDifferences(our.name, our.getFields(), their.getFields());
  if (isEnumType(our)) {
    const known = new Set(their.getValues().map(({ name }) => name));
    return our.getValues().flatMap(({ name }) => (known.has(name) ? [] : [`${our.name}.${name} is gone`]));
  }
  if (isUnionType(our)) {
    const known = new Set(their.getTypes().map(({ name }) => name));
    return our.getTypes().flatMap(({ name }) => (known.has(name) ? [] : [`${our.name} is never a ${name}`]));
  }
  return [];
}

function fieldDifferences(our, their) {
  return Object.values(our.getFields()).flatMap((field) => {
    const where = `${our.name}.${field.name}`;
    const other = their.getFields()[field.name];
    if (other === undefined) return [`${where} is gone`];
    const ofType =
      String(other.type) === String(field.type) ? [] : [`${where} is ${other.type}, not ${field.type}`];
    const byName = (args) => Object.fromEntries(args.map((arg) => [arg.name, arg]));
    return [...ofType, ...inputDifferences(where, byName(field.args), byName(other.args))];
  });
}

function inputDifferences(where, ours, theirs) {
  const gone = Object.values(ours).flatMap(({ name, type }) => {
    const other = theirs[name];
    if (other === undefined) return [`${where}(${name}) is gone`];
    return String(other.type) === String(type) ? [] : [`${where}(${name}) is ${other.type}, not ${type}`];
  });
  const needed = Object.values(theirs)
    .filter(
      ({ name, type, defaultValue }) =>
        ours[name] === undefined && String(type).endsWith('!') && defaultValue === undefined,
    )
    .map(({ name }) => `${where}(${name}) must be given now`);
  return [...gone, ...needed];
}
