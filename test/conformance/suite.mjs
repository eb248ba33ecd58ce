/**
 * Runs the conformance suite against one server and holds its reports against what is expected. Stricter than the
 * suite itself: a warning is a failure, and so is a scenario that leaves no report.
 */

import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXPECTED_FAILURES } from './expected.mjs';
import { runConformance } from './referees.mjs';

/** The suite gives some answers half a second: on a busy machine a failure counts when it comes back. */
const TRIES_MAX = 3;

const REPORT_NAME = /^server-(.+)-\d{4}-\d{2}-\d{2}T[\d-]+Z$/;

/**
 * Judges `scenarios` on a revision's wire; `server` names whose expected failures hold. Resolves with counts of checks,
 * what had to be repeated, and `problems`, each a line for a person.
 */
export async function judge({ server, url, revision, scenarios, scratch }) {
  const target = ['server', '--url', url];
  const reports = await reportsOf([...target, '--requirements', revision], scratch);
  const verdict = blankVerdict(scenarios.length);
  for (const scenario of scenarios) {
    const expected = EXPECTED_FAILURES.filter(
      (entry) => entry.server === server && entry.revision === revision && entry.scenario === scenario,
    ).map(({ check }) => check);
    let checks = reports.get(scenario);
    for (let tries = 1; tries < TRIES_MAX && problemsOf(checks, expected).length > 0; tries += 1) {
      verdict.repeated.push(scenario);
      const again = [...target, '--scenario', scenario, '--spec-version', revision];
      checks = (await reportsOf(again, scratch)).get(scenario);
    }
    count(verdict, checks ?? [], expected);
    verdict.problems.push(...problemsOf(checks, expected).map((problem) => `${scenario}: ${problem}`));
  }
  return verdict;
}

export function blankVerdict(scenarios) {
  return { scenarios, passed: 0, left_out: 0, expected: 0, repeated: [], problems: [] };
}

/** Checks by scenario. */
async function reportsOf(args, scratch) {
  const folder = mkdtempSync(join(scratch, 'reports-'));
  await runConformance([...args, '--output-dir', folder]);
  return new Map(
    readdirSync(folder).flatMap((name) => {
      const scenario = REPORT_NAME.exec(name)?.[1];
      if (scenario === undefined) return [];
      return [[scenario, JSON.parse(readFileSync(join(folder, name, 'checks.json'), 'utf8'))]];
    }),
  );
}

function problemsOf(checks, expected) {
  if (checks === undefined || checks.length === 0) return ['it left no report'];
  const failing = checks.filter(isFailing);
  return [
    ...failing
      .filter((check) => !isExpected(check, expected))
      .map(({ id, errorMessage, description }) => `${id}: ${errorMessage ?? description}`),
    ...expected
      .filter((entry) => !failing.some((check) => isExpected(check, [entry])))
      .map((entry) => `${entry} was expected to fail and does not: take it off expected.mjs`),
  ];
}

function count(verdict, checks, expected) {
  verdict.passed += checks.filter(({ status }) => status === 'SUCCESS').length;
  verdict.left_out += checks.filter(({ status }) => status === 'SKIPPED').length;
  verdict.expected += checks.filter((check) => isFailing(check) && isExpected(check, expected)).length;
}

function isFailing({ status }) {
  return status === 'FAILURE' || status === 'WARNING';
}

function isExpected({ id, name }, expected) {
  return expected.includes(id) || expected.includes(name);
}
