/** Holds what the package ships, and what its pages tell people to run, against what works before the package is published. */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const ROOT = new URL('../', import.meta.url);

const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');
const json = (path: string) => JSON.parse(read(path));

/** Everything that a user reads: pages, configurations, and the texts in the code. */
function pages(): string[] {
  const inside = (folder: string): string[] =>
    readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' }).map(
      (path) => `${folder}${path}`,
    );
  const all = ['README.md', 'CHANGELOG.md', 'mcp.json', 'plugin.json', ...inside('docs/'), ...inside('src/')];
  return all.filter((path) => /\.(?:md|json|ts|graphql)$/.test(path));
}

/** Any way to have npm fetch the package by its bare name: whoever registers that name would be run. */
const BY_BARE_NAME = [
  /npx(?:\.cmd|\w*\(\w*\))?(?:[\s"'`,:[\]{}()]|-[\w-]+|args)*\bholdfast(?![\w@./-])/i,
  /\b(?:npm|pnpm|yarn|bun)\s+(?:install|i|add|exec|dlx|x)(?:\s+(?:-\S+|--\S+))*\s+holdfast(?![\w@./-])/i,
];

it.each([
  'npx -y holdfast serve',
  '"command": "npx",\n "args": ["-y", "holdfast"]',
  "{ command: npxBeside(node), args: ['-y', 'holdfast'] }",
  'npm install -g holdfast',
])('a page that has npm fetch the bare name is noticed: %j', (text) => {
  expect(BY_BARE_NAME.some((pattern) => pattern.test(text))).toBe(true);
});

it('no page and no text tells anybody to fetch the unpublished package by its name', () => {
  const found = pages().filter((path) => BY_BARE_NAME.some((pattern) => pattern.test(read(path))));
  expect(pages().length).toBeGreaterThan(300);
  expect(found).toEqual([]);
});

it('mcp.json and plugin.json go together: one format, the version of the package, and the ledger in the plugin’s data', () => {
  const [mcp, plugin, { version, files }] = [json('mcp.json'), json('plugin.json'), json('package.json')];
  const format = /^https:\/\/agent-plugins\.org\/schemas\/(\d+\.\d+\.\d+)\/(mcp|plugin)\.schema\.json$/;
  expect(format.exec(mcp.$schema)?.[1]).toBe(format.exec(plugin.$schema)?.[1]);
  expect(plugin).toMatchObject({ name: 'holdfast', version });
  expect(files).toEqual(expect.arrayContaining(['mcp.json', 'plugin.json']));
  // The format knows no other names, and clients drop an entry whose command is a path of the machine.
  const { command, args, env } = mcp.mcpServers.holdfast;
  expect(command).toMatch(/^(?:[\w-]+|\.\/.*)$/);
  expect(env.HOLDFAST_DB).toMatch(/^\$\{PLUGIN_DATA\}\//);
  const placeholders = [...JSON.stringify([args, env]).matchAll(/\$\{([^}]*)\}/g)].map(([, name]) => name);
  expect([...new Set(placeholders)].sort()).toEqual(['PLUGIN_DATA', 'PLUGIN_ROOT']);
});

it('the README is short enough to be read', () => {
  expect(Buffer.byteLength(read('README.md'))).toBeLessThanOrEqual(10_240);
});

it('links between the pages lead somewhere', () => {
  const docs = ['README.md', ...pages().filter((path) => /^docs\/.*\.md$/.test(path))];
  const broken = docs.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#[^)]*)?\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => target !== '' && !existsSync(new URL(target, new URL(page, ROOT))))
      .map((target) => `${page} → ${target}`),
  );
  expect(docs.length).toBeGreaterThan(10);
  expect(broken).toEqual([]);
});

it('docs/settings.md names every setting that is read, and no other', () => {
  const namesIn = (text: string) => new Set(text.match(/\b(?:HOLDFAST|SHOPIFY)_[A-Z][A-Z0-9_]*[A-Z0-9]\b/g));
  const names = namesIn(read('src/config/config.ts'));
  expect(names.size).toBeGreaterThan(50);
  expect([...namesIn(read('docs/settings.md'))].filter((name) => !names.has(name))).toEqual([]);
  expect([...names].filter((name) => !namesIn(read('docs/settings.md')).has(name))).toEqual([]);
});

it('the package holds no source maps: their sources are not in it', () => {
  const args = ['pack', '--dry-run', '--ignore-scripts', '--json'];
  const { stdout } = spawnSync('npm', args, { cwd: ROOT, encoding: 'utf8' });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(['dist/cli/holdfast.js', 'mcp.json', 'plugin.json']));
  expect(paths.filter((path) => path.endsWith('.map'))).toEqual([]);
});

it('what only the owner can fill in stands in docs/releasing.md, and nowhere as a placeholder', () => {
  const owned = ['repository', 'homepage', 'bugs', 'mcpName'];
  const block = /```json\n([\s\S]*?)\n```/.exec(read('docs/releasing.md'))?.[1] ?? '';
  expect(Object.keys(JSON.parse(block))).toEqual(owned);
  for (const path of ['package.json', 'plugin.json']) {
    expect(Object.keys(json(path)).filter((name) => owned.includes(name))).toEqual([]);
  }
});
