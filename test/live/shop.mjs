/**
 * The plainest client for a shop: no retries but for THROTTLED, and answers as they come. Holdfast's own client is not
 * used here on purpose: what is asked is what the shop does, not what we make of it.
 */

const VERSION = '2026-10';
const THROTTLED_MAX = 20;
const REQUEST_MS = 30_000;

export class Shop {
  #origin;
  #name;
  #token;
  #signal;

  constructor({ origin, name, token, signal }) {
    this.#origin = origin;
    this.#name = name;
    this.#token = token;
    this.#signal = signal;
  }

  get origin() {
    return this.#origin;
  }

  get name() {
    return this.#name;
  }

  /** The same shop for work that must be done even though the person has left. */
  undisturbed() {
    return new Shop({ origin: this.#origin, name: this.#name, token: this.#token, signal: undefined });
  }

  /** `{ data, errors }` as the shop said it. Throws only when no answer could be had at all. */
  async ask(query, variables = {}) {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await this.#post(query, variables);
      const throttled = answer.errors?.some?.(({ extensions }) => extensions?.code === 'THROTTLED');
      if (!throttled || attempt === THROTTLED_MAX) return answer;
      await wait(2_000, this.#signal);
    }
  }

  /** The data; throws with what the shop said when it said no. */
  async data(query, variables = {}) {
    const { data, errors } = await this.ask(query, variables);
    if (errors !== undefined) throw new Refused(errors);
    return data;
  }

  /** The one root field of a mutation; throws `Refused` on user errors. */
  async mutate(query, variables = {}) {
    const payload = Object.values(await this.data(query, variables))[0];
    if (payload?.userErrors?.length > 0) throw new Refused(payload.userErrors);
    return payload;
  }

  async #post(query, variables) {
    const limit = AbortSignal.timeout(REQUEST_MS);
    const response = await fetch(`${this.#origin}/admin/api/${VERSION}/graphql.json`, {
      method: 'POST',
      redirect: 'error',
      headers: { 'content-type': 'application/json', 'x-shopify-access-token': this.#token },
      body: JSON.stringify({ query, variables }),
      signal: this.#signal === undefined ? limit : AbortSignal.any([limit, this.#signal]),
    });
    const text = await response.text();
    if (response.ok) return JSON.parse(text);
    return {
      errors: [
        {
          message: `HTTP ${response.status}: ${text.slice(0, 200)}`,
          extensions: { code: `HTTP_${response.status}` },
        },
      ],
    };
  }
}

/** The shop said no, in its own words. */
export class Refused extends Error {
  constructor(errors) {
    const list = Array.isArray(errors) ? errors : [{ message: String(errors) }];
    super(
      list
        .map(({ code, extensions, message }) => [code ?? extensions?.code, message].filter(Boolean).join(' '))
        .join('; '),
    );
    this.name = 'Refused';
    this.codes = list.map(({ code, extensions }) => code ?? extensions?.code ?? null);
    /** Paths of what was wrong with the input; null when it was no user error. */
    this.fields = list.every(({ extensions }) => extensions === undefined)
      ? list.map(({ field }) => field?.join('.') ?? 'no field').join(', ')
      : null;
  }
}

/** The token to use: the one that is set, or one for client id and secret. */
export async function tokenFor({ shop, origin, credentials }) {
  if ('access_token' in credentials) return credentials.access_token;
  const { client_id, client_secret } = credentials;
  const response = await fetch(`${origin ?? `https://${shop}`}/admin/oauth/access_token`, {
    method: 'POST',
    redirect: 'error',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ grant_type: 'client_credentials', client_id, client_secret }),
    signal: AbortSignal.timeout(REQUEST_MS),
  });
  const answer = await response.json().catch(() => ({}));
  if (typeof answer.access_token !== 'string')
    throw new Error(`The shop gave no token for client id and secret (HTTP ${response.status}).`);
  return answer.access_token;
}

/** Rejects when the signal aborts. */
export function wait(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
