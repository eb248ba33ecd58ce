/** Reads source files as TypeScript does and says what breaks the rules of the house. */

import { posix } from 'node:path';
import ts from 'typescript';

/** A file by its path inside `src`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface Rule {
  /** Of ours: a room, a room with its wings (`ledger/**`), or a single file. The room itself always. */
  readonly ours: readonly string[];
  /** Packages and `node:` modules; `node:*` stands for all of those. */
  readonly outside: readonly string[];
}

export interface Import {
  readonly from: string;
  /** A path inside `src`, or a package name. */
  readonly to: string;
  readonly is_ours: boolean;
  /** Gone at run time. `import { type X }` is not: `verbatimModuleSyntax` keeps the import itself. */
  readonly is_type: boolean;
}

/** Every import of a file: static, re-export, dynamic, `require` and types alike. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const found: Import[] = [];
  visit(parse(path, text), (node) => {
    const specifier = specifierOf(node);
    if (specifier !== null) found.push({ ...resolved(path, specifier), is_type: isTypeOnly(node) });
  });
  return found;
}

function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node)) return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
  return ts.isImportTypeNode(node) || (ts.isExportDeclaration(node) && node.isTypeOnly);
}

function specifierOf(node: ts.Node): string | null {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return literal(node.moduleSpecifier);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return literal(node.argument.literal);
  if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
    return literal(node.moduleReference.expression);
  }
  if (!ts.isCallExpression(node)) return null;
  const isDynamic = node.expression.kind === ts.SyntaxKind.ImportKeyword;
  const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require';
  return isDynamic || isRequire ? literal(node.arguments[0]) : null;
}

function literal(node: ts.Node | undefined): string | null {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : null;
}

function resolved(from: string, specifier: string): Omit<Import, 'is_type'> {
  if (specifier.startsWith('.')) {
    const to = posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');
    return { from, to, is_ours: true };
  }
  const name = specifier.startsWith('node:')
    ? specifier
    : specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/');
  return { from, to: name, is_ours: false };
}

/** The room of a file: its folder. */
export function findRoom(path: string): string {
  return posix.dirname(path);
}

/** The first folder of a path. */
function partOf(path: string): string {
  return path.split('/')[0] ?? '';
}

/** What an import breaks, or null. */
export function breachOf(
  { from, to, is_ours }: Import,
  rules: Readonly<Record<string, Rule>>,
): string | null {
  const room = findRoom(from);
  const rule = rules[room];
  if (rule === undefined) return `${from}: no rule says what ${room} may import`;
  if (!is_ours) {
    const allowed = rule.outside.includes(to) || (to.startsWith('node:') && rule.outside.includes('node:*'));
    return allowed ? null : `${from} imports ${to}`;
  }
  const allowed = findRoom(to) === room || rule.ours.some((name) => covers(name, to));
  return allowed ? null : `${from} imports ${to}`;
}

function covers(name: string, path: string): boolean {
  if (name === '**') return true;
  if (name.endsWith('/**')) return path.startsWith(name.slice(0, -'**'.length));
  return name === path || name === findRoom(path);
}

/** Names of the table that stand for nothing: a room, file or package that no import needs. */
export function idleAllowances(imports: readonly Import[], rules: Readonly<Record<string, Rule>>): string[] {
  return Object.entries(rules).flatMap(([room, { ours, outside }]) => {
    const own = imports.filter(({ from }) => findRoom(from) === room);
    const foreign = own.filter(({ to, is_ours }) => is_ours && findRoom(to) !== room);
    const packages = own.filter(({ is_ours }) => !is_ours);
    return [
      ...ours.filter((name) => !foreign.some(({ to }) => covers(name, to))),
      ...outside.filter(
        (name) => !packages.some(({ to }) => to === name || (name === 'node:*' && to.startsWith('node:'))),
      ),
    ].map((name) => `${room} may import ${name} and does not`);
  });
}

/** The same imports, between rooms instead of files. */
export function betweenRooms(imports: readonly Import[]): Import[] {
  return imports
    .filter(({ from, to, is_ours }) => is_ours && findRoom(from) !== findRoom(to))
    .map((found) => ({ ...found, from: findRoom(found.from), to: findRoom(found.to) }));
}

/** Rooms with more files than that, wings left out. */
export function crowdedRooms(paths: readonly string[], filesMax: number): string[] {
  const counts = new Map<string, number>();
  for (const path of paths) counts.set(findRoom(path), (counts.get(findRoom(path)) ?? 0) + 1);
  return [...counts].flatMap(([room, count]) =>
    count > filesMax ? [`${room} has ${count} files: give it wings`] : [],
  );
}

/** The circles among files or rooms, each as the paths along it. */
export function circlesIn(imports: readonly Omit<Import, 'is_type'>[]): string[][] {
  const edges = new Map<string, string[]>();
  for (const { from, to, is_ours } of imports) {
    if (is_ours) edges.set(from, [...(edges.get(from) ?? []), to]);
  }
  const circles: string[][] = [];
  const done = new Set<string>();
  const walk = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) circles.push([...trail.slice(start), file]);
    if (start >= 0 || done.has(file)) return;
    for (const next of edges.get(file) ?? []) walk(next, [...trail, file]);
    done.add(file);
  };
  for (const file of edges.keys()) walk(file, []);
  return circles;
}

/** What the text of a file breaks by itself. */
export function flawsOf({ path, text }: SourceFile): string[] {
  const flaws: string[] = [];
  const say = (what: string): void => void flaws.push(`${path} ${what}`);
  const part = partOf(path);
  visit(parse(path, text), (node) => {
    if (ts.isExportAssignment(node) || isDefault(node)) say('has a default export');
    if (ts.isExportDeclaration(node) && node.exportClause === undefined) say('re-exports a whole file');
    if (!ts.isPropertyAccessExpression(node) && !ts.isElementAccessExpression(node)) return;
    const member = memberOf(node);
    if (member === 'process.env' && path !== 'cli/ledger/machine-environment.ts') say('reads process.env');
    if (member.startsWith('console.') && part !== 'cli') say('writes to the console');
    if (member === 'process.stdout' && part !== 'cli') say('writes to stdout');
    if (part === 'ledger' && IMPURE.includes(member)) say(`uses ${member}`);
  });
  if (part === 'ledger' && /\bnew Date\(\s*\)|\b(?:setTimeout|setInterval|setImmediate|fetch)\(/.test(text)) {
    say('is not pure');
  }
  return flaws;
}

const IMPURE: readonly string[] = ['Date.now', 'Math.random', 'performance.now', 'crypto.randomUUID'];

function memberOf(node: ts.PropertyAccessExpression | ts.ElementAccessExpression): string {
  const name = ts.isPropertyAccessExpression(node) ? node.name.text : literal(node.argumentExpression);
  return `${node.expression.getText()}.${name ?? '?'}`;
}

function isDefault(node: ts.Node): boolean {
  if (ts.isExportSpecifier(node)) return node.name.text === 'default';
  const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
  return modifiers.some((modifier) => modifier.kind === ts.SyntaxKind.DefaultKeyword);
}

/** What the name of a file breaks. */
export function misnamed(path: string): string | null {
  const names = path.replace(/(\.d)?\.ts$/, '').split('/');
  if (names.some((name) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name))) return `${path} is not kebab-case`;
  const words = names.flatMap((name) => name.split('-'));
  const empty = words.find((word) => /^(?:utils?|helpers?|managers?|services?)$/.test(word));
  if (empty !== undefined) return `${path} is named “${empty}”, which says nothing`;
  return names.at(-1) === 'index' ? `${path} is a barrel` : null;
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS);
}

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}
