/**
 * The simulation from the command line.
 *
 *   npm run simulate -- [--seed S] [--count N] [--theme NAME|each] [--keep 1,5,9]
 *     stories, each by its seed and its theme; --keep: only these of its actions
 *   npm run simulate:soak -- --minutes N [--seed S] [--theme NAME|each]   goes on until something is wrong, or time is up
 *   npm run simulate:mutations -- [--only WORDS] [--from N] [--seeds N] [--matrix]
 *
 * What goes wrong is shortened, and printed as a timeline with the command that plays it again.
 */

import { parseArgs } from 'node:util';
import { Workshop } from './workshop.mjs';

const SHRINK_RUNS_MAX = 150;
/** What stands for nothing when the seeds of a soak are drawn by the clock. */
const SEED_MAX = 1_000_000_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    count: { type: 'string', default: '1' },
    keep: { type: 'string' },
    theme: { type: 'string', default: 'everything' },
    minutes: { type: 'string', default: '10' },
    seeds: { type: 'string', default: '12' },
    only: { type: 'string', default: '' },
    from: { type: 'string', default: '1' },
    matrix: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const wrong = ['seed', 'count', 'minutes', 'seeds', 'from'].find(
  (name) => values[name] !== undefined && !/^[1-9]\d{0,9}$/u.test(values[name]),
);
if (wrong !== undefined || (values.keep !== undefined && !/^\d+(,\d+)*$/u.test(values.keep))) {
  console.error(
    `--${wrong ?? 'keep'} wants ${wrong === undefined ? 'numbers with commas between' : 'a whole number above 0'}`,
  );
  process.exit(2);
}

async function seeds({ tell, storyOf, shrink, keeping, THEMES }) {
  const program = await workshop.program();
  const first = Number(values.seed ?? 1);
  const total = new Totals();
  const themes = values.theme === 'each' ? Object.keys(THEMES) : [values.theme];
  const stories = Array.from({ length: Number(values.count) }, (_, n) =>
    themes.map((theme) => storyOf(first + n, theme)),
  ).flat();
  for (const whole of stories) {
    const story = values.keep === undefined ? whole : keeping(whole, values.keep.split(',').map(Number));
    const telling = await tell(program, story);
    total.add(telling);
    if (values.json) console.log(JSON.stringify({ ...telling, theme: story.theme, story: undefined }));
    if (telling.violation !== null) {
      if (values.keep === undefined) await report({ program, story, telling, shrink });
      else print(telling);
      return 1;
    }
    if (values.keep !== undefined) print(telling);
  }
  console.log(total.line());
  return 0;
}

async function soak({ tell, storyOf, shrink, THEMES }) {
  const program = await workshop.program();
  const until = performance.now() + Number(values.minutes) * 60_000;
  const total = new Totals();
  const names = Object.keys(THEMES);
  let seed = Number(values.seed ?? 1 + (Math.floor(Date.now() / 1000) % SEED_MAX));
  console.log(`from seed ${seed}`);
  for (; performance.now() < until; seed += 1) {
    const theme = values.theme === 'each' ? names[seed % names.length] : values.theme;
    const story = storyOf(seed, theme);
    const telling = await tell(program, story);
    total.add(telling);
    if (telling.violation === null) continue;
    await report({ program, story, telling, shrink });
    return 1;
  }
  console.log(total.line());
  return 0;
}

async function mutations({ tell, storyOf, MUTATIONS }) {
  const chosen = chosenOf(MUTATIONS);
  let survivors = 0;
  for (const mutation of chosen) {
    const found = await hunt({ tell, storyOf }, mutation, new Set());
    if (found === null) survivors += 1;
    if (values.json) console.log(JSON.stringify({ name: mutation.name, ...found }));
    else console.log(row(mutation.name, found));
  }
  return survivors === 0 ? 0 : 1;
}

/** Each mutation without the check that finds it: which checks are the only ones to see something. */
async function matrix({ tell, storyOf, CHECKS, MUTATIONS }) {
  const chosen = chosenOf(MUTATIONS);
  const survivors = new Map(Object.keys(CHECKS).map((check) => [check, []]));
  for (const mutation of chosen) {
    const found = await hunt({ tell, storyOf }, mutation, new Set());
    console.log(row(mutation.name, found));
    if (found === null) continue;
    // The story that has shown it, without the check that saw it: does another see it later?
    const { check, seed } = found;
    const { violation } = await tell(await workshop.program(mutation), storyOf(seed, mutation.theme), {
      without: new Set([check]),
    });
    if (violation === null) survivors.get(check).push(mutation.name);
    else console.log(`  without ${check} it is found by ${violation.check}`);
  }
  const idle = [...survivors].filter(([, names]) => names.length === 0);
  for (const [check, names] of survivors) console.log(`${check.padEnd(12)} ${names.join('; ') || '–'}`);
  return idle.length === 0 ? 0 : 1;
}

function chosenOf(mutations) {
  return mutations.slice(Number(values.from) - 1).filter(({ name }) => name.includes(values.only));
}

async function hunt({ tell, storyOf }, mutation, without) {
  const program = await workshop.program(mutation);
  const others = Array.from({ length: Number(values.seeds) }, (_, n) => n + 1);
  const tried = [...new Set([mutation.seed, ...others])].slice(0, Number(values.seeds));
  let steps = 0;
  for (const [n, seed] of tried.entries()) {
    const telling = await tell(program, storyOf(seed, mutation.theme), { without });
    steps += telling.steps;
    if (telling.violation === null) continue;
    if (!(await isPassed({ tell, storyOf }, seed, mutation.theme))) continue;
    const { check, invariant, detail } = telling.violation;
    return { seed, stories: n + 1, steps, check, invariant, detail };
  }
  return null;
}

const passed = new Map();

/** Whether the program itself passes the story: one that it does not pass shows nothing about a mutation of it. */
async function isPassed({ tell, storyOf }, seed, theme) {
  const name = `${seed} ${theme}`;
  if (!passed.has(name)) {
    const { violation } = await tell(await workshop.program(), storyOf(seed, theme));
    passed.set(name, violation === null);
  }
  return passed.get(name);
}

function row(name, found) {
  if (found === null) return `${name.padEnd(58)} SURVIVED`;
  const { check, invariant, seed, stories, steps } = found;
  return `${name.padEnd(58)} ${`${invariant} ${check}`.padEnd(16)} seed ${seed}, story ${stories}, ${steps} steps`;
}

async function report({ program, story, telling, shrink }) {
  console.log(
    `seed ${story.seed}: ${telling.violation.invariant} ${telling.violation.check} after ${telling.steps} steps`,
  );
  const { telling: shortest, kept, runs } = await shrink(program, story, telling, SHRINK_RUNS_MAX);
  console.log(`shortened in ${runs} runs from ${story.actions.length} actions to ${kept.length}:\n`);
  print(shortest, story);
  console.log(
    `\nAgain: npm run simulate -- --seed ${story.seed} --theme ${story.theme} --keep ${kept.join(',') || '0'}`,
  );
}

function print({ story, violation }) {
  // What every story begins with.
  for (const line of story) if (!line.includes('Subscribe: 200')) console.log(line);
  if (violation !== null) console.log(`\n${violation.invariant} ${violation.check}\n${violation.detail}`);
}

class Totals {
  #seeds = 0;
  #steps = 0;
  #checks = 0;
  #counts = new Map();

  add({ steps, checks, counts }) {
    this.#seeds += 1;
    this.#steps += steps;
    this.#checks += checks;
    for (const [name, count] of Object.entries(counts))
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  line() {
    const { kills = 0, calls = 0, ...counts } = Object.fromEntries(this.#counts);
    const faults = Object.entries(counts)
      .filter(([name]) => FAULTS.test(name))
      .map(([name, count]) => `${count} ${name}`);
    return `simulation: ${this.#seeds} seeds, ${this.#steps} steps, ${this.#checks} looks of the oracle, ${calls} calls, ${kills} kills; faults: ${faults.join(', ')}`;
  }
}

/** Of what is counted, what goes wrong. */
const FAULTS =
  /^(fault_|outage|busy|disk_full|act_clock|act_search_lag|act_draft_by_hand|webhooks_(merged|lost|doubled|reordered|late|failed))/u;

const workshop = new Workshop();
let exit = 1;
try {
  // First of all: what is loaded from here on lives in the universe.
  const { Universe } = await workshop.load('universe.js');
  Universe.enter(null);
  const [{ tell }, { storyOf, THEMES }, { shrink, keeping }, { CHECKS }, { MUTATIONS }] = await Promise.all(
    ['world.js', 'story.js', 'shrink.js', 'oracle.js', 'mutations.js'].map((name) => workshop.load(name)),
  );
  const tools = { tell, storyOf, THEMES, shrink, keeping, CHECKS, MUTATIONS };
  const command = positionals[0] ?? 'seeds';
  if (values.theme !== 'each' && !Object.hasOwn(THEMES, values.theme)) {
    console.error(`--theme wants each, or one of ${Object.keys(THEMES).join(', ')}`);
    exit = 2;
  } else if (command === 'seeds') exit = await seeds(tools);
  else if (command === 'soak') exit = await soak(tools);
  else if (command === 'mutations') exit = values.matrix ? await matrix(tools) : await mutations(tools);
  else {
    console.error(`there is no ${command}: seeds, soak or mutations`);
    exit = 2;
  }
} finally {
  workshop.close();
}
process.exit(exit);
