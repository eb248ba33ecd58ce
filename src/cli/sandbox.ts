/** `holdfast sandbox`: the sandbox shop alone, until it is told to stop. */

import { PortTaken } from '../http/listener.js';
import {
  SANDBOX_ACCESS_TOKEN,
  SANDBOX_CLIENT_ID,
  SANDBOX_CLIENT_SECRET,
} from '../sandbox/api-rules/access.js';
import type { Pricing, RATE_PLANS } from '../sandbox/api-rules/cost.js';
import { bigCatalogue } from '../sandbox/base/big-catalogue.js';
import { SandboxServer } from '../sandbox/server.js';

export interface SandboxCommandOptions {
  readonly port: number;
  /** Left out, the apparel shop opens. */
  readonly variants?: number;
  readonly locations: number;
  readonly rate: keyof typeof RATE_PLANS | 'unlimited';
  readonly pricing: Pricing;
  readonly seed?: number;
}

/** Webhooks that are sent at a time. */
const WEBHOOK_CONCURRENCY = 10;

export async function sandbox(options: SandboxCommandOptions): Promise<void> {
  const { port, variants, locations, rate, pricing, seed } = options;
  const server = new SandboxServer({
    port,
    pricing,
    webhooks: { concurrency: WEBHOOK_CONCURRENCY },
    ...(variants === undefined ? {} : { catalogue: bigCatalogue(variants, locations) }),
    ...(rate === 'unlimited' ? { throttle: false } : { rate }),
    ...(seed === undefined ? {} : { seed }),
  });
  const { origin } = await server.start().catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new PortTaken({ host: '127.0.0.1', port }, 'give another one with --port');
  });
  console.log(`Sandbox shop at ${origin} (Ctrl-C stops it)

  Admin GraphQL   POST ${origin}/admin/api/2026-10/graphql.json
  Shop            sandbox.myshopify.com
  Access token    ${SANDBOX_ACCESS_TOKEN}
  Client          ${SANDBOX_CLIENT_ID} / ${SANDBOX_CLIENT_SECRET}
  Webhooks        to https, or to http on this machine, signed with the client’s secret; ${origin}/sandbox/webhooks counts them
  Faults          POST ${origin}/sandbox/faults
  Settings        PATCH ${origin}/sandbox/settings {"throttle":false,"clockSkewMs":0,"searchLagMs":0,"faults":{"cutAfter":0.05},"webhookFaults":{"lost":0.2}}
  Seed            ${server.seed}

To serve it with Holdfast, put this into a file, and name it: holdfast serve --env FILE
  SHOPIFY_SHOP=sandbox.myshopify.com
  SHOPIFY_ACCESS_TOKEN=${SANDBOX_ACCESS_TOKEN}
  SHOPIFY_ORIGIN=${origin}`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await server.stop();
}
