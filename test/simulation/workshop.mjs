/**
 * Makes runnable programs of the sources: the real one, and one for each mutation. Types are stripped, nothing else is
 * changed, and each program is a folder of its own, so that several live in one process.
 */

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Not imported: Node would read nine megabytes of it twice to learn what it exports. */
const ts = createRequire(import.meta.url)('typescript');

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COMPILER = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true };

export class Workshop {
  #folder = mkdtempSync(join(tmpdir(), 'holdfast-workshop-'));
  #programs = 0;
  /** By folder: the fetch that a program has given the library when it was loaded. */
  #fetches = new Map();

  constructor() {
    const base = join(this.#folder, 'base');
    compileFolder(join(ROOT, 'src'), join(base, 'src'), join(ROOT, 'dist'));
    for (const room of ['test/helpers', 'test/simulation']) compileFolder(join(ROOT, room), join(base, room));
    symlinkSync(join(ROOT, 'node_modules'), join(this.#folder, 'node_modules'));
    // Says that all of it is modules.
    cpSync(join(ROOT, 'package.json'), join(this.#folder, 'package.json'));
  }

  /** A module of the harness, compiled. */
  load(name) {
    return import(pathToFileURL(join(this.#folder, 'base/test/simulation', name)));
  }

  /** The program; with a mutation, a copy of it with that one change. Throws where the change does not fit exactly once. */
  async program(mutation = null) {
    let src = join(this.#folder, 'base/src');
    if (mutation !== null) {
      this.#programs += 1;
      src = join(this.#folder, `mutation-${this.#programs}`);
      cpSync(join(this.#folder, 'base/src'), src, { recursive: true });
      // A file may be changed in several places.
      const sources = new Map();
      for (const { file, find, replace } of mutation.changes) {
        const source = sources.get(file) ?? readFileSync(join(ROOT, 'src', file), 'utf8');
        const count = source.split(find).length - 1;
        if (count !== 1)
          throw new Error(
            `"${mutation.name}" wants its text once in src/${file}, and it is there ${count} times`,
          );
        sources.set(
          file,
          source.replace(find, () => replace),
        );
      }
      for (const [file, source] of sources)
        writeFileSync(join(src, file.replace(/\.ts$/u, '.js')), stripped(source, file));
    }
    const url = (file) => pathToFileURL(join(src, file));
    const runtime = await import('@shopify/shopify-api/runtime');
    // All of it at once: what a program loads while it runs would come at a time of the machine's own.
    await import('awesome-phonenumber');
    const [{ openHoldfast }, { readConfig }, { TOOLS }, { replaceDriver }] = await Promise.all(
      [
        'app/open-app.js',
        'config/config.js',
        'mcp/server.js',
        'store/sqlite/database/load-driver.js',
        ...LAZY,
      ].map((file) => import(url(file))),
    );
    if (!this.#fetches.has(src)) this.#fetches.set(src, runtime.abstractFetch);
    const enter = () => runtime.setAbstractFetchFunc(this.#fetches.get(src));
    return { openHoldfast, readConfig, TOOLS, replaceDriver, enter };
  }

  close() {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** What `open-app.ts` loads on first use, read from it: what is forgotten here makes a story that is not the same twice. */
const LAZY = [
  ...readFileSync(join(ROOT, 'src/app/open-app.ts'), 'utf8').matchAll(/\bimport\('\.\.\/([^']+)'\)/gu),
].map(([, file]) => file);

/** `built`: where the same may have been built already, and is taken from if it is not older than its source. */
function compileFolder(from, to, built = null) {
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.test.ts') || entry.name.endsWith('.d.ts')) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const target = join(to, relative(from, path)).replace(/\.ts$/u, '.js');
    mkdirSync(dirname(target), { recursive: true });
    if (entry.name.endsWith('.graphql')) cpSync(path, target);
    if (!entry.name.endsWith('.ts')) continue;
    const ready = built === null ? null : join(built, relative(from, path)).replace(/\.ts$/u, '.js');
    if (ready !== null && isFresh(ready, path)) cpSync(ready, target);
    else writeFileSync(target, stripped(readFileSync(path, 'utf8'), entry.name));
  }
}

function isFresh(built, source) {
  const made = statSync(built, { throwIfNoEntry: false });
  return made !== undefined && made.mtimeMs >= statSync(source).mtimeMs;
}

function stripped(source, fileName) {
  return ts.transpileModule(source, { compilerOptions: COMPILER, fileName }).outputText;
}
