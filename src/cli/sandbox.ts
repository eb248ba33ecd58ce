/** `holdfast sandbox`: the sandbox shop alone, until it is told to stop. */

import { SANDBOX_ACCESS_TOKEN, SANDBOX_CLIENT_ID, SANDBOX_CLIENT_SECRET } from '../sandbox/access.js';
import { SandboxServer } from '../sandbox/server.js';

export async function sandbox(port: number): Promise<void> {
  const server = new SandboxServer({ port });
  const { origin } = await server.start();
  console.log(`Sandbox shop at ${origin} (Ctrl-C stops it)

  Admin GraphQL   POST ${origin}/admin/api/2026-10/graphql.json
  Shop            sandbox.myshopify.com
  Access token    ${SANDBOX_ACCESS_TOKEN}
  Client          ${SANDBOX_CLIENT_ID} / ${SANDBOX_CLIENT_SECRET}
  Faults          POST ${origin}/sandbox/faults

To serve it with Holdfast:
  SHOPIFY_SHOP=sandbox.myshopify.com SHOPIFY_ACCESS_TOKEN=${SANDBOX_ACCESS_TOKEN} SHOPIFY_ORIGIN=${origin} holdfast serve`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await server.stop();
}
