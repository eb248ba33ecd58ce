/** Holds the layout of the house against its imports. Each rule was seen red: the checker has tests of its own below. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  breachOf,
  circlesIn,
  flawsOf,
  importsOf,
  misnamed,
  type Rule,
  type SourceFile,
} from './architecture-rules.js';

const ROOT = new URL('../src/', import.meta.url);
const PORT = 'sources/source.ts';

/** Who may import whom. Each arrow is one direction; `app` and `cli` put everything together. */
const RULES: Readonly<Record<string, Rule>> = {
  ledger: { ours: [], outside: ['canonicalize', 'node:crypto'] },
  store: {
    ours: ['ledger'],
    outside: ['node:crypto', 'node:fs', 'node:module', 'node:net', 'node:os', 'node:path'],
  },
  sources: {
    ours: ['ledger', 'observability'],
    // node:crypto tells the shop's webhooks from anybody else's, node:net an address from a name.
    outside: [
      '@shopify/shopify-api',
      'gql.tada',
      'node:async_hooks',
      'node:crypto',
      'node:events',
      'node:net',
    ],
  },
  sync: { ours: ['ledger', PORT, 'jobs', 'observability', 'sources/read-batch.ts'], outside: [] },
  outbox: { ours: ['ledger', PORT, 'jobs', 'observability'], outside: ['node:timers/promises'] },
  // node:crypto names a request whose bug went to the log.
  mcp: {
    ours: ['ledger', 'observability'],
    outside: ['@modelcontextprotocol/server', 'awesome-phonenumber', 'node:crypto', 'zod'],
  },
  // jose and node:crypto tell tokens from forgeries, zod reads the list of them.
  auth: {
    ours: ['mcp/server.ts'],
    outside: [
      '@modelcontextprotocol/server',
      'jose',
      'node:crypto',
      'node:http',
      'node:net',
      'node:timers/promises',
      'zod',
    ],
  },
  http: {
    ours: ['mcp', 'auth', 'sync/inbox.ts', 'dashboard', 'observability'],
    outside: [
      '@modelcontextprotocol/server',
      'node:async_hooks',
      'node:buffer',
      'node:crypto',
      'node:http',
      'node:net',
      'node:timers/promises',
    ],
  },
  stdio: { ours: ['mcp'], outside: ['@modelcontextprotocol/server'] },
  dashboard: { ours: ['ledger', 'observability'], outside: [] },
  sandbox: {
    ours: ['jobs', 'observability'],
    // Results of bulk operations lie in temporary files; webhooks go out over http and https.
    outside: [
      'graphql',
      'node:crypto',
      'node:fs',
      'node:fs/promises',
      'node:http',
      'node:https',
      'node:net',
      'node:os',
      'node:path',
      'node:timers/promises',
    ],
  },
  // The incident plays the real ledger against a shop of its own: the network and the disk are all it replaces.
  incident: {
    ours: ['ledger', 'store', 'sync', 'outbox', 'mcp', PORT, 'observability', 'sandbox/base/random.ts'],
    outside: [],
  },
  jobs: { ours: ['observability'], outside: [] },
  observability: { ours: [], outside: ['pino'] },
  config: { ours: [], outside: ['node:fs', 'node:util', 'zod'] },
  app: { ours: ['*'], outside: ['node:*'] },
  cli: { ours: ['*'], outside: ['node:*', 'commander', '@modelcontextprotocol/client'] },
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

  it('has no circle of files', () => {
    expect(circlesIn(imports)).toEqual([]);
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
      "import { x } from './y.js'; import { Ledger } from '../ledger/ledger.js'; import * as z from 'zod';";
    expect(importsOf(file('mcp/x.ts', text))).toHaveLength(3);
    expect(breaches('mcp/x.ts', text)).toEqual([]);
    expect(breaches('app/open-app.ts', "await import('../anywhere/at/all.js');")).toEqual([]);
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
