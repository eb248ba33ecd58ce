/**
 * Finds the publication that an item has to be on to be sold: the merchant's setting, looked up at the shop. Without the scope, or
 * without such a publication, no flag is asked for and stock is told as under `any`; the log and `holdfast doctor` say so.
 */

import { UpstreamError } from '../../source.js';
import type { ShopifyClient } from '../client/client.js';
import { DOCUMENTS, type ResultOf } from '../client/documents.js';
import { gid, parseTail } from '../client/gid.js';
import { PUBLICATIONS_PER_PAGE } from '../client/limits.js';
import { walk } from '../client/paging.js';

/** `any`: publication does not count. Digits: a publication's own id. */
export type PublicationChoice = 'any' | 'online_store' | (string & {});

export type FoundPublication =
  | { readonly found: true; readonly id: string; readonly title: string }
  | { readonly found: false; readonly why: 'any' | 'scope_missing' | 'unknown' };

/** What every document with flags is sent with. */
export interface FlagVariables {
  readonly publication: string;
  readonly flags: boolean;
}

type Publication = ResultOf<typeof DOCUMENTS.publications>['publications']['nodes'][number];

/** Shopify's own number and handle of the online store's app: names of channels are translated, these are not. */
const ONLINE_STORE = { id: 'gid://shopify/App/580111', handle: 'online_store' } as const;
/** Sent where no flag is asked for, because the schema wants an id. */
const NO_PUBLICATION = 'gid://shopify/Publication/0';

export class PublicationFinder {
  readonly #client: ShopifyClient;
  readonly #choice: PublicationChoice;
  #known: Promise<FoundPublication> | null = null;
  #told: string | null = null;

  constructor(client: ShopifyClient, choice: PublicationChoice) {
    this.#client = client;
    this.#choice = choice;
  }

  /** Asks the shop the first time, and then knows. Throws UpstreamError when the shop could not be asked: that proves nothing. */
  current(signal: AbortSignal): Promise<FoundPublication> {
    return this.#known ?? this.look(signal);
  }

  /** Asks the shop anew. Where it can't be asked, what was known before stays. */
  async look(signal: AbortSignal): Promise<FoundPublication> {
    const before = this.#known;
    const looking = this.#find(signal);
    if (before === null) {
      this.#known = looking;
      // Whoever awaits it hears of it; the next one asks again.
      looking.catch(() => {
        if (this.#known === looking) this.#known = null;
      });
    }
    const found = await looking;
    this.#known = looking;
    this.#tell(found);
    return found;
  }

  /**
   * Reads something with its flags. Where the shop refuses for want of a scope, it is asked anew whether the flags can still be had:
   * a scope may have been withdrawn while this runs.
   */
  async read<T>(signal: AbortSignal, read: (flags: FlagVariables) => Promise<T>): Promise<T> {
    const flags = flagVariables(await this.current(signal));
    try {
      return await read(flags);
    } catch (error) {
      if (!flags.flags || !(error instanceof UpstreamError) || error.failure !== 'scope_missing') throw error;
      const now = await this.look(signal);
      if (now.found) throw error;
      return await read(flagVariables(now));
    }
  }

  async #find(signal: AbortSignal): Promise<FoundPublication> {
    if (this.#choice === 'any') return { found: false, why: 'any' };
    try {
      const pages = walk(async (after) => {
        const variables = { first: PUBLICATIONS_PER_PAGE, after };
        return (await this.#client.read(DOCUMENTS.publications, variables, signal)).data.publications;
      });
      for await (const nodes of pages) {
        const match = nodes.find((publication) => this.#isChosen(publication));
        if (match !== undefined) return toFound(match);
      }
      return { found: false, why: 'unknown' };
    } catch (error) {
      if (error instanceof UpstreamError && error.failure === 'scope_missing')
        return { found: false, why: 'scope_missing' };
      throw error;
    }
  }

  #isChosen({ id, catalog, channels }: Publication): boolean {
    if (this.#choice !== 'online_store') return parseTail('Publication', id) === this.#choice;
    const own = catalog?.__typename === 'AppCatalog' ? catalog.apps.nodes : [];
    const apps = [...own, ...(channels?.nodes ?? []).map(({ app }) => app)];
    return apps.some((app) => app.id === ONLINE_STORE.id || app.handle === ONLINE_STORE.handle);
  }

  #tell(found: FoundPublication): void {
    const state = found.found ? found.id : found.why;
    if (state === this.#told) return;
    const isBack = this.#told !== null;
    this.#told = state;
    const publication = this.#choice;
    if (!found.found && found.why !== 'any')
      this.#client.note('warn', 'publication not found: unpublished items are sold, too', {
        publication,
        why: found.why,
        mend: 'Run holdfast doctor.',
      });
    else if (isBack) this.#client.note('info', 'publication found', { publication });
  }
}

export function flagVariables(found: FoundPublication): FlagVariables {
  return found.found ? { publication: found.id, flags: true } : { publication: NO_PUBLICATION, flags: false };
}

/** Equal as long as the same items may be sold by it. */
export function publicationKey(found: FoundPublication): string {
  return found.found ? parseTail('Publication', found.id) : 'any';
}

function toFound({ id, catalog }: Publication): FoundPublication {
  // Made anew of its number: it becomes part of a query's text.
  return { found: true, id: gid('Publication', parseTail('Publication', id)), title: catalog?.title ?? '' };
}
