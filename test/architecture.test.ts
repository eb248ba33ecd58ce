/** Holds the layout of the house against its imports. Each rule was seen red: the checker has tests of its own below. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  betweenRooms,
  breachOf,
  circlesIn,
  crowdedRooms,
  findRoom,
  flawsOf,
  idleAllowances,
  importsOf,
  misnamed,
  type Rule,
  type SourceFile,
} from './architecture-rules.js';

const ROOT = new URL('../src/', import.meta.url);
/** A reader finds a file in a list of this length. */
const ROOM_FILES_MAX = 16;

const MODEL = ['ledger/model', 'ledger/model/values'];
const DECISIONS = [...MODEL, 'ledger/state'];

/**
 * Who may import whom: each room, with the rooms, files and packages that it imports. What is not here is not allowed. Nobody imports
 * `cli`, and only `cli` imports `app`.
 */
const RULES: Readonly<Record<string, Rule>> = {
  // The composition root: brings in the clock, ids and randomness, and opens everything.
  app: {
    ours: [
      'config',
      'http/http.ts',
      'jobs',
      'ledger/**',
      'mcp/**',
      'observability',
      'outbox',
      'sources/**',
      'store/**',
      'sync',
    ],
    outside: ['node:crypto', 'node:timers/promises'],
  },
  config: { ours: [], outside: ['node:fs', 'node:util', 'zod'] },

  'ledger/model/values': { ours: [], outside: ['canonicalize', 'node:crypto'] },
  'ledger/model': { ours: ['ledger/model/values'], outside: [] },
  'ledger/state': { ours: MODEL, outside: [] },
  'ledger/quota': { ours: DECISIONS, outside: [] },
  'ledger/reservation': { ours: [...DECISIONS, 'ledger/quota'], outside: [] },
  'ledger/stock': { ours: [...DECISIONS, 'ledger/reservation'], outside: [] },
  'ledger/order': { ours: [...DECISIONS, 'ledger/quota', 'ledger/reservation'], outside: [] },
  'ledger/outbox': { ours: [...DECISIONS, 'ledger/reservation', 'ledger/order'], outside: [] },
  'ledger/query': { ours: [...DECISIONS, 'ledger/quota', 'ledger/reservation'], outside: [] },
  ledger: { ours: ['ledger/**'], outside: [] },

  'store/sqlite/database': {
    ours: ['ledger/model'],
    outside: ['node:fs', 'node:module', 'node:path'],
  },
  'store/sqlite/lock': { ours: [], outside: ['node:crypto', 'node:fs', 'node:net', 'node:os', 'node:path'] },
  'store/sqlite/rows': { ours: ['ledger/**', 'store/sqlite/database'], outside: [] },
  'store/sqlite/verify': { ours: ['ledger/**', 'store/sqlite/database', 'store/sqlite/rows'], outside: [] },
  'store/sqlite': { ours: ['ledger/**', 'store/sqlite/**'], outside: ['node:fs'] },

  sources: { ours: MODEL, outside: [] },
  'sources/shopify/client': {
    // `state.ts` for the type of the clock.
    ours: ['sources', 'ledger/model/values', 'ledger/state/state.ts'],
    outside: ['@shopify/shopify-api', 'gql.tada', 'node:async_hooks', 'node:events'],
  },
  'sources/shopify/stock': {
    ours: ['sources', 'sources/shopify/client', 'ledger/model/values'],
    outside: [],
  },
  'sources/shopify/holds': { ours: ['sources', 'sources/shopify/client', ...MODEL], outside: [] },
  'sources/shopify/webhooks': {
    ours: ['sources', 'sources/shopify/client'],
    outside: ['node:crypto'],
  },
  'sources/shopify/orders': {
    ours: ['sources', 'sources/shopify/client', 'sources/shopify/holds', 'sources/shopify/stock', ...MODEL],
    outside: [],
  },
  'sources/shopify': { ours: ['sources', 'sources/shopify/**'], outside: [] },

  sync: { ours: ['ledger/**', 'sources', 'jobs', 'observability/metrics-table.ts'], outside: [] },
  outbox: { ours: ['ledger/**', 'sources/source.ts'], outside: [] },
  jobs: { ours: [], outside: [] },

  'mcp/kit': { ours: ['ledger/**'], outside: ['@modelcontextprotocol/server', 'awesome-phonenumber', 'zod'] },
  'mcp/tools': { ours: ['mcp/kit'], outside: ['zod'] },
  'mcp/subscriptions': { ours: ['mcp/kit', 'ledger/**'], outside: ['@modelcontextprotocol/server'] },
  mcp: { ours: ['mcp/**', 'ledger/model/values'], outside: ['@modelcontextprotocol/server'] },

  auth: {
    ours: ['mcp/server.ts'],
    // jose and node:crypto tell tokens from forgeries, zod reads the list of them.
    outside: ['@modelcontextprotocol/server', 'jose', 'node:crypto', 'node:http', 'zod'],
  },
  'http/middleware': { ours: [], outside: ['@modelcontextprotocol/server', 'node:*'] },
  'http/mcp': {
    ours: ['auth/authenticator.ts', 'http/middleware', 'mcp', 'observability/metrics-table.ts'],
    outside: ['@modelcontextprotocol/server', 'node:*'],
  },
  http: {
    // Of the inbox a type only: the door through which webhooks come in.
    ours: ['auth', 'http/**', 'mcp/server.ts', 'observability/metrics-table.ts', 'sync/inbox.ts'],
    outside: ['@modelcontextprotocol/server', 'node:*'],
  },
  stdio: { ours: ['mcp'], outside: ['@modelcontextprotocol/server'] },
  observability: { ours: [], outside: ['pino', 'prom-client'] },

  // The incident plays the real ledger against a shop of its own: the network and the disk are all it replaces.
  incident: {
    ours: [
      'ledger/**',
      'store/**',
      'sync',
      'outbox',
      'mcp/**',
      'sources/source.ts',
      'observability',
      'sandbox/base/random.ts',
    ],
    outside: [],
  },

  'sandbox/base': { ours: [], outside: [] },
  'sandbox/api-rules': { ours: ['sandbox/base'], outside: ['graphql'] },
  'sandbox/shop/stock': { ours: ['sandbox/base'], outside: [] },
  'sandbox/shop/orders': {
    ours: ['sandbox/base', 'sandbox/shop/stock'],
    outside: ['node:crypto', 'node:http'],
  },
  'sandbox/shop': { ours: ['sandbox/base', 'sandbox/api-rules', 'sandbox/shop/**'], outside: ['node:*'] },
  'sandbox/graphql': {
    ours: ['sandbox/base', 'sandbox/api-rules', 'sandbox/shop/**'],
    outside: ['graphql', 'node:fs'],
  },
  'sandbox/webhooks': { ours: ['sandbox/base', 'sandbox/shop/**'], outside: ['node:*'] },
  sandbox: { ours: ['sandbox/**', 'jobs'], outside: ['node:*'] },

  'cli/terminal': { ours: [], outside: ['node:*'] },
  'cli/ledger': { ours: ['app', 'config', 'observability', 'store/**'], outside: [] },
  'cli/tokens': {
    ours: ['auth', 'cli/ledger', 'cli/terminal', 'config', 'ledger/**', 'mcp', 'observability', 'store/**'],
    outside: ['node:*'],
  },
  'cli/doctor': {
    ours: [
      'auth',
      'cli/ledger',
      'cli/terminal',
      'cli/tokens',
      'config',
      'http',
      'ledger/**',
      'sources/**',
      'store/**',
    ],
    outside: ['node:*'],
  },
  'cli/init': {
    ours: ['auth', 'cli/doctor', 'cli/ledger', 'cli/terminal', 'cli/tokens', 'config', 'store/**'],
    outside: ['node:*'],
  },
  'cli/demo': { ours: ['sandbox/**', 'store/**'], outside: ['@modelcontextprotocol/client', 'node:*'] },
  'cli/incident': { ours: ['app', 'config', 'incident'], outside: ['node:*'] },
  cli: { ours: ['**'], outside: ['commander', 'node:*'] },
};

const files: readonly SourceFile[] = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: readFileSync(new URL(path, ROOT), 'utf8') }));
const written = files.filter(({ path }) => !path.endsWith('.d.ts'));
const imports = written.flatMap(importsOf);

describe('src', () => {
  it('is seen whole: a checker that reads too little finds nothing', () => {
    expect(written.length).toBeGreaterThan(90);
    expect(imports.length).toBeGreaterThan(250);
    const parts = new Set(imports.map(({ from }) => from.split('/')[0]));
    expect(parts.size).toBeGreaterThan(10);
    const known = new Set(files.map(({ path }) => path));
    const lost = imports.filter(
      ({ to, is_ours }) => is_ours && !known.has(to) && !known.has(to.replace('.ts', '.d.ts')),
    );
    expect(lost).toEqual([]);
  });

  it('imports only along the arrows of the architecture', () => {
    expect(imports.flatMap((found) => breachOf(found, RULES) ?? [])).toEqual([]);
  });

  it('has a rule for each room, and no other rule', () => {
    const rooms = [...new Set(files.map(({ path }) => findRoom(path)))];
    expect(rooms.sort()).toEqual(Object.keys(RULES).sort());
  });

  it('has no rule that allows what nothing needs', () => {
    expect(idleAllowances(imports, RULES)).toEqual([]);
  });

  it('has the same rooms in its map', () => {
    const map = readFileSync(new URL('README.md', ROOT), 'utf8');
    const named = [...map.matchAll(/^\| `([a-z/-]+)` \|/gm)].map(([, room]) => room);
    const mapped = Object.keys(RULES).filter((room) => !room.startsWith('cli/'));
    expect(named.filter((room) => mapped.includes(room ?? '')).sort()).toEqual(mapped.sort());
  });

  it('has no circle of files, and none of rooms', () => {
    expect(circlesIn(imports)).toEqual([]);
    expect(circlesIn(betweenRooms(imports))).toEqual([]);
  });

  it(`has at most ${ROOM_FILES_MAX} files in a room, beside its wings`, () => {
    expect(
      crowdedRooms(
        files.map(({ path }) => path),
        ROOM_FILES_MAX,
      ),
    ).toEqual([]);
  });

  it('touches node:crypto in the ledger only where the checksum is made', () => {
    const users = imports.filter(({ from, to }) => from.startsWith('ledger/') && to === 'node:crypto');
    expect(users.map(({ from }) => from)).toEqual(['ledger/model/values/stock-hash.ts']);
  });

  it('touches a database driver only under its engine, where it is loaded by name', () => {
    const importing = imports.filter(({ to }) => /^(?:better-sqlite3|node:sqlite|pg|postgres)/.test(to));
    const loading = written.filter(({ text }) => /\bcreateRequire\b/.test(text));
    expect(loading.length).toBeGreaterThan(0);
    for (const path of [...importing.map(({ from }) => from), ...loading.map((file) => file.path)])
      expect(path).toMatch(/^store\/[a-z]+\//);
  });

  it('lets nobody import the composition root but the command line', () => {
    const users = imports.filter(({ to }) => to.startsWith('app/') || to.startsWith('cli/'));
    expect(
      users.filter(
        ({ from, to }) => !from.startsWith('cli/') && !(from.startsWith('app/') && to.startsWith('app/')),
      ),
    ).toEqual([]);
  });

  it('lets nobody but the composition root bring in the clock, ids and settings', () => {
    const users = imports.filter(({ to }) => ['app/clock.ts', 'app/ids.ts', 'config/config.ts'].includes(to));
    expect(users.filter(({ from }) => !from.startsWith('app/') && !from.startsWith('cli/'))).toEqual([]);
  });

  it('imports at run time only what is installed with the package, but for the demo, which names what it lacks', () => {
    const { dependencies, optionalDependencies } = JSON.parse(
      readFileSync(new URL('../package.json', ROOT), 'utf8'),
    );
    const installed = Object.keys({ ...dependencies, ...optionalDependencies });
    const packages = imports.filter(
      (found) => !found.is_ours && !found.is_type && !found.to.startsWith('node:'),
    );
    expect(packages.length).toBeGreaterThan(15);
    const missing = packages.filter(({ to }) => !installed.includes(to));
    expect([...new Set(missing.map(({ from, to }) => `${from} ${to}`))]).toEqual([
      'cli/demo/demo-stage.ts @modelcontextprotocol/client',
    ]);
  });

  it('has no default exports, no whole-file re-exports, no stray console, stdout or process.env, and a pure ledger', () => {
    expect(written.flatMap(flawsOf)).toEqual([]);
  });

  it('names files in kebab-case by what they are, and has no barrels', () => {
    expect(files.flatMap(({ path }) => misnamed(path) ?? [])).toEqual([]);
  });
});

describe('the checker', () => {
  const file = (path: string, text: string): SourceFile => ({ path, text });
  const breaches = (path: string, text: string): string[] =>
    importsOf(file(path, text)).flatMap((found) => breachOf(found, RULES) ?? []);

  it.each([
    ['a static import', "import { x } from '../store/sqlite/x.js';"],
    ['an import for its effect', "import '../store/sqlite/x.js';"],
    ['a type import', "import type { X } from '../store/sqlite/x.js';"],
    ['an inline type import', "type X = import('../store/sqlite/x.js').X;"],
    ['a re-export', "export { x } from '../store/sqlite/x.js';"],
    ['a whole re-export', "export * from '../store/sqlite/x.js';"],
    ['a dynamic import', "const x = await import('../store/sqlite/x.js');"],
    ['a dynamic import of a template', 'const x = await import(`../store/sqlite/x.js`);'],
    ['an import after a comment that hides one', "// import 'a';\nimport { x } from '../store/sqlite/x.js';"],
  ])('sees %s against the arrows', (_, text) => {
    expect(breaches('ledger/x.ts', text)).toEqual(['ledger/x.ts imports store/sqlite/x.ts']);
  });

  it.each([
    ['ledger/x.ts', "import { z } from 'zod';", 'zod'],
    ['ledger/x.ts', "import { readFileSync } from 'node:fs';", 'node:fs'],
    ['mcp/x.ts', "import Database from 'better-sqlite3';", 'better-sqlite3'],
    ['sync/x.ts', "import { open } from '../sources/shopify/shopify.js';", 'sources/shopify/shopify.ts'],
    ['auth/x.ts', "import { x } from '../mcp/kit/tool.js';", 'mcp/kit/tool.ts'],
    ['http/x.ts', "import { x } from '../ledger/ledger.js';", 'ledger/ledger.ts'],
    ['store/sqlite/x.ts', "import { x } from '../../mcp/x.js';", 'mcp/x.ts'],
    ['jobs/x.ts', "import { LIMITS } from '../config/config.js';", 'config/config.ts'],
    [
      'sources/shopify/x.ts',
      "import { x } from '@modelcontextprotocol/server/stdio';",
      '@modelcontextprotocol/server',
    ],
  ])('sees that %s breaks the table with %s', (path, text, to) => {
    expect(breaches(path, text)).toEqual([`${path} imports ${to}`]);
  });

  it('lets pass what the table allows', () => {
    const text =
      "import { x } from './y.js'; import { Ledger } from '../../ledger/ledger.js'; import * as z from 'zod';";
    expect(importsOf(file('mcp/kit/x.ts', text))).toHaveLength(3);
    expect(breaches('mcp/kit/x.ts', text)).toEqual([]);
    expect(breaches('cli/x.ts', "await import('../anywhere/at/all.js');")).toEqual([]);
  });

  it('tells what is gone at run time from what is not', () => {
    const text =
      "import type { A } from 'a'; export type { B } from 'b'; type C = import('c').C; import { type D } from 'd'; import { E } from 'e'; await import('f');";
    expect(importsOf(file('x.ts', text)).map(({ to, is_type }) => [to, is_type])).toEqual([
      ['a', true],
      ['b', true],
      ['c', true],
      ['d', false],
      ['e', false],
      ['f', false],
    ]);
  });

  it('does not let a new folder in without a rule', () => {
    expect(breaches('newcomer/x.ts', "import 'node:fs';")).toEqual([
      'newcomer/x.ts: no rule says what newcomer may import',
    ]);
  });

  it('takes a wing for a room of its own, and a room without its wings', () => {
    const rules = { a: { ours: ['a/b'], outside: [] }, 'a/b': { ours: [], outside: [] } };
    const found = (path: string, text: string) =>
      importsOf(file(path, text)).map((one) => breachOf(one, rules));
    expect(found('a/x.ts', "import './b/y.js';")).toEqual([null]);
    expect(found('a/b/y.ts', "import '../x.js';")).toEqual(['a/b/y.ts imports a/x.ts']);
    expect(found('a/x.ts', "import './b/c/z.js';")).toEqual(['a/x.ts imports a/b/c/z.ts']);
    expect(found('a/b/c/z.ts', "import 'node:fs';")).toEqual([
      'a/b/c/z.ts: no rule says what a/b/c may import',
    ]);
  });

  it('finds what the table allows and nothing needs', () => {
    const seen = importsOf(file('a/x.ts', "import '../b/y.js'; import './z.js'; import 'zod';"));
    const rules = { a: { ours: ['a', 'b', 'b/y.ts', 'c/**'], outside: ['zod', 'jose', 'node:*'] } };
    expect(idleAllowances(seen, rules)).toEqual([
      'a may import a and does not',
      'a may import c/** and does not',
      'a may import jose and does not',
      'a may import node:* and does not',
    ]);
  });

  it('finds a circle of rooms where there is none of files', () => {
    const seen = [
      ...importsOf(file('a/x.ts', "import '../b/y.js';")),
      ...importsOf(file('b/z.ts', "import '../a/w.js';")),
    ];
    expect(circlesIn(seen)).toEqual([]);
    expect(circlesIn(betweenRooms(seen))).toEqual([['a', 'b', 'a']]);
  });

  it('finds a room with too many files, and does not count those of its wings', () => {
    const names = ['x', 'y', 'z'].map((name) => `a/${name}.ts`);
    expect(crowdedRooms([...names, 'a/b/x.ts'], 2)).toEqual(['a has 3 files: give it wings']);
    expect(crowdedRooms([...names, 'a/b/x.ts'], 3)).toEqual([]);
  });

  it('finds circles of two, of three and of one', () => {
    const circle = (...trail: string[]) =>
      trail.map((from, at) => ({ from, to: trail[(at + 1) % trail.length] ?? '', is_ours: true }));
    expect(circlesIn(circle('a', 'b'))).toEqual([['a', 'b', 'a']]);
    expect(circlesIn([{ from: 'x', to: 'a', is_ours: true }, ...circle('a', 'b', 'c')])).toEqual([
      ['a', 'b', 'c', 'a'],
    ]);
    expect(circlesIn(circle('a'))).toEqual([['a', 'a']]);
    expect(circlesIn(circle('a', 'b', 'c').slice(0, 2))).toEqual([]);
  });

  it.each([
    ['sync/x.ts', 'export default 1;', 'has a default export'],
    ['sync/x.ts', 'export default function x() {}', 'has a default export'],
    ['sync/x.ts', 'const x = 1; export { x as default };', 'has a default export'],
    ['sync/x.ts', "export * from './y.js';", 're-exports a whole file'],
    ['sync/x.ts', 'const x = process.env.HOME;', 'reads process.env'],
    ['sync/x.ts', "const x = process['env'].HOME;", 'reads process.env'],
    ['sync/x.ts', 'console.error(1);', 'writes to the console'],
    ['sync/x.ts', 'process.stdout.write("x");', 'writes to stdout'],
    ['ledger/x.ts', 'const now = Date.now();', 'uses Date.now'],
    ['ledger/x.ts', 'const now = new Date();', 'is not pure'],
  ])('sees in %s that “%s” %s', (path, text, flaw) => {
    expect(flawsOf(file(path, text))).toEqual([`${path} ${flaw}`]);
  });

  it('reads code and not comments or strings', () => {
    expect(flawsOf(file('sync/x.ts', '// console.log\nconst x = "process.env";'))).toEqual([]);
    expect(flawsOf(file('cli/x.ts', 'console.log(1);'))).toEqual([]);
    expect(flawsOf(file('cli/ledger/machine-environment.ts', 'const x = process.env;'))).toEqual([]);
  });

  it.each([
    ['sync/index.ts', 'is a barrel'],
    ['sync/stringUtils.ts', 'is not kebab-case'],
    ['Sync/x.ts', 'is not kebab-case'],
    ['sync/string-utils.ts', 'says nothing'],
    ['helpers/x.ts', 'says nothing'],
    ['sync/order-service.ts', 'says nothing'],
  ])('sees that %s %s', (path, flaw) => {
    expect(misnamed(path)).toContain(flaw);
  });
});
