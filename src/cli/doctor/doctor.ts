/** `holdfast doctor`: looks at settings, ledger, shop and webhooks, and says how to mend what is wrong. */

import { setTimeout as pause } from 'node:timers/promises';
import { type Config, LIMITS, type ShopConfig } from '../../config/config.js';
import type { Environment } from '../../config/settings-sources.js';
import { machineEnvironment, settingsFilePath } from '../ledger/machine-environment.js';
import { type DoctorPorts, examine } from './doctor-checks.js';
import { type Finding, formatFinding, isWhole, summarizeFindings, type Terminal } from './finding.js';

/** False when any check failed. */
export async function doctor(options: { readonly json: boolean }): Promise<boolean> {
  const findings = await diagnose(machineEnvironment());
  if (options.json) console.log(JSON.stringify({ ok: isWhole(findings), checks: findings }, null, 2));
  else print(findings);
  return isWhole(findings);
}

/** All checks, with the network and the clock of this machine. */
export async function diagnose(environment: Environment): Promise<readonly Finding[]> {
  const { API_VERSION } = await import('../../sources/shopify/client/limits.js');
  const { requiredScopes, SCOPE_TABLE } = await import('../../sources/shopify/client/documents.js');
  const { subscribedTopics } = await import('../../sources/shopify/webhooks/webhook-topics.js');
  const ports: DoctorPorts = {
    net: { fetch, now: Date.now },
    settingsFile: settingsFilePath(),
    openShop,
    apiVersion: API_VERSION,
    scopesFor: ({ mirror, read_only, route_fulfillment, publication, cancel_twins }: Config) =>
      requiredScopes({
        mirror,
        read_only,
        is_routing: route_fulfillment === 'promised',
        publication: publication !== 'any',
        is_cancelling: cancel_twins,
      }).map((scope) => ({
        scope,
        purpose: SCOPE_TABLE[scope],
      })),
    topicsFor: () => subscribedTopics(),
  };
  return await examine(environment, ports);
}

export function print(findings: readonly Finding[], terminal: Terminal = detectTerminal()): void {
  for (const finding of findings) for (const line of formatFinding(finding, terminal)) console.log(line);
  console.log(`\n${summarizeFindings(findings)}`);
}

/** Colours for people at a terminal; NO_COLOR (no-color.org) turns them off. A terminal may not know its width. */
export function detectTerminal(stream: NodeJS.WriteStream = process.stdout): Terminal {
  return { coloured: stream.isTTY === true && stream.hasColors(), columns: stream.columns || PLAIN_COLUMNS };
}

const PLAIN_COLUMNS = 110;

async function openShop(shop: ShopConfig, publication: Config['publication']) {
  const { openShopify } = await import('../../sources/shopify/shopify.js');
  return openShopify({
    ...shop,
    publication,
    now: Date.now,
    random: Math.random,
    sleep: async (ms, signal) => {
      await pause(ms, undefined, { signal }).catch(() => undefined);
    },
    // What went wrong is told by the findings.
    log: () => undefined,
    tuning: { timeout_ms: LIMITS.doctor.request_ms, attempts_max: 2 },
  });
}
