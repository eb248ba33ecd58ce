/**
 * `npm run conformance`: MCP's own conformance suite against our HTTP stack and against Holdfast, and MCP's inspector
 * against Holdfast. Prints what came of it; exit 1 on anything that was not expected.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectorChecks } from './inspector.mjs';
import { installReferees, requirementsOf } from './referees.mjs';
import { HOLDFAST, serveFixtures, serveHoldfast } from './servers.mjs';
import { blankVerdict, judge } from './suite.mjs';

/** Not required of anybody yet, but we pass them. The extension for tasks, which is not required either, we don't have. */
const MORE_FOR_FIXTURES = {
  '2025-11-25': ['server-session-lifecycle', 'json-schema-2020-12', 'server-sse-polling'],
  '2026-07-28': ['json-schema-2020-12', 'http-header-validation', 'http-custom-header-server-validation'],
};

/** What can be asked of any server, whatever its tools. */
const WITHOUT_FIXTURES = {
  '2025-11-25': [
    'server-initialize',
    'ping',
    'tools-list',
    'server-sse-multiple-streams',
    'dns-rebinding-protection',
    'server-session-lifecycle',
  ],
  '2026-07-28': [
    'server-stateless',
    'tools-list',
    'server-sse-multiple-streams',
    'sep-2164-resource-not-found',
    'dns-rebinding-protection',
    'caching',
    'input-required-result-unsupported-methods',
    'http-header-validation',
  ],
};

const scratch = mkdtempSync(join(tmpdir(), 'holdfast-conformance-'));
try {
  await installReferees();
  const started = performance.now();
  // Side by side: most of their time is waiting, for one another's processes and for streams that stay silent.
  const verdicts = (await Promise.all([judgeFixtures(), judgeHoldfast()])).flat();
  for (const verdict of verdicts) report(verdict);
  const problems = verdicts.flatMap(({ title, problems }) =>
    problems.map((problem) => `${title}: ${problem}`),
  );
  for (const problem of problems) console.log(`FAILED  ${problem}`);
  sumUp(verdicts, problems, Math.round((performance.now() - started) / 1_000));
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function judgeFixtures() {
  const served = await serveFixtures();
  try {
    return await Promise.all(
      Object.entries(MORE_FOR_FIXTURES).map(async ([revision, more]) => {
        const scenarios = [...requirementsOf(revision), ...more];
        const title = `${revision}, the suite's fixtures behind our HTTP stack`;
        return {
          title,
          ...(await judge({ server: 'fixtures', url: served.url, revision, scenarios, scratch })),
        };
      }),
    );
  } finally {
    await served.stop();
  }
}

async function judgeHoldfast() {
  const served = await serveHoldfast(scratch);
  try {
    const judged = Object.entries(WITHOUT_FIXTURES).map(async ([revision, scenarios]) => {
      const title = `${revision}, Holdfast itself`;
      return {
        title,
        ...(await judge({ server: 'holdfast', url: served.url, revision, scenarios, scratch })),
      };
    });
    return await Promise.all([...judged, inspect(served.url)]);
  } finally {
    await served.stop();
  }
}

/** One after the other: the inspector keeps what it knows of servers in one file. */
async function inspect(url) {
  const targets = { http: [url], stdio: [process.execPath, HOLDFAST, 'serve', '--sandbox'] };
  const verdict = { title: 'MCP inspector, Holdfast itself', ...blankVerdict(0) };
  for (const { name, run } of inspectorChecks(targets, scratch)) {
    const problem = await run();
    verdict.scenarios += 1;
    if (problem === null) verdict.passed += 1;
    else verdict.problems.push(`${name}: ${problem}`);
  }
  return verdict;
}

function report({ title, scenarios, repeated, ...counts }) {
  console.log(`${title}: ${scenarios} scenarios, ${countsText(counts)}`);
  if (repeated.length > 0) console.log(`  repeated: ${repeated.join(', ')}`);
}

function sumUp(verdicts, problems, seconds) {
  const sum = (name) => verdicts.reduce((total, verdict) => total + verdict[name], 0);
  const counts = { passed: sum('passed'), left_out: sum('left_out'), expected: sum('expected'), problems };
  console.log(`All together: ${sum('scenarios')} scenarios, ${countsText(counts)}, in ${seconds} s.`);
}

function countsText({ passed, left_out, expected, problems }) {
  return `${passed} checks passed, ${left_out} not applicable, ${expected} failed as expected, ${problems.length} unexpectedly`;
}
