/**
 * Webhook subscriptions. Shopify removes one after eight failed deliveries in a row, without a word, so `ensure` is
 * called again and again and does nothing when all is well. Ours are known by their name; one without a name that leads
 * to our own address, made by hand, is left as it is and counts.
 */

import {
  type SubscriptionReport,
  type Subscriptions,
  UpstreamError,
  type UpstreamFailure,
  type WriteOutcome,
} from '../../source.js';
import type { ShopifyClient } from '../client/client.js';
import { DOCUMENTS, type Subscription, type VariablesOf } from '../client/documents.js';
import { SUBSCRIPTIONS_MAX, SUBSCRIPTIONS_PER_PAGE } from '../client/limits.js';
import { walk } from '../client/paging.js';
import { SUBSCRIBED, type SubscribedTopic } from './webhook-topics.js';

const NAME_PREFIX = 'holdfast-';

type Input = VariablesOf<typeof DOCUMENTS.subscribe>['input'];
type Wish = SubscribedTopic & { readonly url: string };
type Done = { readonly step: keyof SubscriptionReport; readonly detail: string };

/** The shop said no to one topic, not to us: the heartbeat covers what the topic would have told. */
const REFUSALS: ReadonlySet<UpstreamFailure> = new Set(['refused', 'scope_missing']);

export class ShopifySubscriptions implements Subscriptions {
  readonly #client: ShopifyClient;

  constructor(client: ShopifyClient) {
    this.#client = client;
  }

  async ensure(url: string, signal: AbortSignal): Promise<SubscriptionReport> {
    const found = await this.#all(signal);
    const steps: Record<Exclude<keyof SubscriptionReport, 'refused'>, string[]> = {
      kept: [],
      created: [],
      moved: [],
    };
    const refused: { topic: string; detail: string }[] = [];
    for (const topic of SUBSCRIBED) {
      const here = found.filter((one) => one.topic === topic.name);
      const { step, detail } = await this.#settle({ ...topic, url }, here, signal);
      if (step === 'refused') refused.push({ topic: topic.topic, detail });
      else steps[step].push(topic.topic);
    }
    // Topics of an older version of ours.
    const wanted = new Set<string>(SUBSCRIBED.map(({ name }) => name));
    for (const one of found) if (isOurs(one) && !wanted.has(one.topic)) await this.#remove(one, signal);
    return { ...steps, refused };
  }

  async list(signal: AbortSignal): Promise<readonly { readonly topic: string; readonly url: string }[]> {
    const topics = new Map<string, string>(SUBSCRIBED.map(({ name, topic }) => [name, topic]));
    const ours = (await this.#all(signal)).filter(isOurs);
    return ours.map(({ topic, uri }) => ({ topic: topics.get(topic) ?? topic.toLowerCase(), url: uri }));
  }

  /** One topic: right already, mended, or made; and those of ours that say the same again are taken away. */
  async #settle(wish: Wish, here: readonly Subscription[], signal: AbortSignal): Promise<Done> {
    const right = here.find((one) => leadsTo(one, wish.url) && (!isOurs(one) || isAsWished(one, wish)));
    const kept = right ?? here.find(isOurs);
    // First: the shop takes neither one name nor one address twice. The one that is kept tells us meanwhile.
    for (const one of here) if (isOurs(one) && one !== kept) await this.#remove(one, signal);
    if (kept === undefined) return await this.#create(wish, signal);
    return kept === right ? { step: 'kept', detail: '' } : await this.#change(kept, wish, signal);
  }

  async #create(wish: Wish, signal: AbortSignal): Promise<Done> {
    const variables = { topic: wish.name, input: buildInput(wish) };
    const sent = await this.#client.write(DOCUMENTS.subscribe, variables, signal);
    return this.#judged('created', sent, (data) => data.webhookSubscriptionCreate);
  }

  async #change({ id }: Subscription, wish: Wish, signal: AbortSignal): Promise<Done> {
    const variables = { id, input: buildInput(wish) };
    const sent = await this.#client.write(DOCUMENTS.change_subscription, variables, signal);
    return this.#judged('moved', sent, (data) => data.webhookSubscriptionUpdate);
  }

  async #remove({ id, topic }: Subscription, signal: AbortSignal): Promise<void> {
    const sent = await this.#client.write(DOCUMENTS.unsubscribe, { id }, signal);
    const { step, detail } = this.#judged('moved', sent, (data) => data.webhookSubscriptionDelete);
    // Gone already, or not ours to take away: deliveries that come twice are no harm.
    if (step === 'refused') this.#client.note('warn', 'a webhook subscription stays', { topic, detail });
  }

  #judged<Data>(
    step: Done['step'],
    sent: WriteOutcome<Data>,
    read: (data: Data) => { readonly userErrors: readonly { readonly message: string }[] } | null,
  ): Done {
    if (sent.outcome === 'done') {
      const payload = read(sent.value);
      if (payload === null) throw new UpstreamError('protocol', 'neither a subscription nor an error');
      const said = payload.userErrors.map(({ message }) => message).join('; ');
      return payload.userErrors.length > 0
        ? { step: 'refused', detail: this.#client.clean(said) }
        : { step, detail: '' };
    }
    const { detail } = sent;
    // Made or not: the next `ensure` sees it.
    if (sent.outcome === 'unknown') throw new UpstreamError('unreachable', detail);
    if (REFUSALS.has(sent.failure)) return { step: 'refused', detail };
    throw new UpstreamError(sent.failure, detail, sent.outcome === 'not_sent' ? sent.retry_after_ms : null);
  }

  async #all(signal: AbortSignal): Promise<readonly Subscription[]> {
    const all: Subscription[] = [];
    const pages = walk(async (after) => {
      const variables = { first: SUBSCRIPTIONS_PER_PAGE, after };
      return (await this.#client.read(DOCUMENTS.subscriptions, variables, signal)).data.webhookSubscriptions;
    }, SUBSCRIPTIONS_MAX);
    for await (const nodes of pages) all.push(...nodes);
    return all;
  }
}

function isOurs({ name }: Subscription): boolean {
  return name?.startsWith(NAME_PREFIX) ?? false;
}

function leadsTo({ uri }: Subscription, url: string): boolean {
  return uri === url || (URL.canParse(uri) && new URL(uri).href === new URL(url).href);
}

function isAsWished({ format, includeFields }: Subscription, { fields }: Wish): boolean {
  const wanted = new Set(fields);
  return (
    format === 'JSON' &&
    wanted.size === includeFields.length &&
    includeFields.every((field) => wanted.has(field))
  );
}

function buildInput({ topic, url, fields }: Wish): Input {
  const name = `${NAME_PREFIX}${topic.replace(/[^a-z]+/g, '-')}`;
  return { uri: url, format: 'JSON', name, includeFields: [...(fields ?? [])] };
}
