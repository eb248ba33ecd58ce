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
import { judge } from './suite.mjs';

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
  const failures = [...(await judgeFixtures()), ...(await judgeHoldfast())];
  for (const failure of failures) console.log(`FAILED  ${failure}`);
  console.log(failures.length === 0 ? 'Everything is as expected.' : `${failures.length} not as expected.`);
  process.exitCode = failures.length === 0 ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function judgeFixtures() {
  const served = await serveFixtures();
  try {
    const failures = [];
    for (const [revision, more] of Object.entries(MORE_FOR_FIXTURES)) {
      const scenarios = [...requirementsOf(revision), ...more];
      const title = `${revision}, the suite's fixtures behind our HTTP stack`;
      const verdict = await judge({ server: 'fixtures', url: served.url, revision, scenarios, scratch });
      failures.push(...report(title, verdict));
    }
    return failures;
  } finally {
    await served.stop();
  }
}

async function judgeHoldfast() {
  const served = await serveHoldfast(scratch);
  try {
    const failures = [];
    for (const [revision, scenarios] of Object.entries(WITHOUT_FIXTURES)) {
      const title = `${revision}, Holdfast itself`;
      const verdict = await judge({ server: 'holdfast', url: served.url, revision, scenarios, scratch });
      failures.push(...report(title, verdict));
    }
    return [...failures, ...(await inspect(served.url))];
  } finally {
    await served.stop();
  }
}

async function inspect(url) {
  const targets = { http: [url], stdio: [process.execPath, HOLDFAST, 'serve', '--sandbox'] };
  const failures = [];
  const checks = inspectorChecks(targets, scratch);
  for (const { name, run } of checks) {
    const problem = await run();
    if (problem !== null) failures.push(`inspector, ${name}: ${problem}`);
  }
  console.log(`inspector: ${checks.length - failures.length} of ${checks.length} calls as they should be`);
  return failures;
}

function report(title, { scenarios, passed, left_out, expected, repeated, problems }) {
  console.log(
    `${title}: ${scenarios} scenarios, ${passed} checks passed, ${left_out} not applicable, ${expected} failed as expected, ${problems.length} unexpectedly`,
  );
  if (repeated.length > 0) console.log(`  repeated: ${repeated.join(', ')}`);
  return problems.map((problem) => `${title}: ${problem}`);
}
