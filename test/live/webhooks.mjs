/** Listens for one webhook: only where the shop can reach this machine. */

import { createServer } from 'node:http';

const PATH = '/webhooks/shopify';
const CREATE = `mutation Listen($topic: WebhookSubscriptionTopic!, $input: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $input) {
    webhookSubscription { id } userErrors { field message } } }`;
const DELETE = `mutation Hush($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } } }`;

/** `{ url, bodies, close }`; `place` is where the public address leads, `url` null for a shop that reaches loopback. */
export async function listenForWebhooks({ host, port, public_url }) {
  const bodies = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    response.end();
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const url = `${public_url ?? `http://${host}:${server.address().port}`}${PATH}`;
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url, bodies, close };
}

/** Subscribed until the cleaning takes it back. */
export async function subscribe(shop, cleaning, url) {
  const input = { uri: url, format: 'JSON' };
  const { webhookSubscription } = await shop.mutate(CREATE, { topic: 'INVENTORY_LEVELS_UPDATE', input });
  cleaning.add('webhook subscription', (quiet) => quiet.mutate(DELETE, { id: webhookSubscription.id }));
}
