/**
 * Where the merchant publishes products: a publication for each sales channel. A product is published on one from a moment on,
 * which may lie in the future (a scheduled launch): when it comes, nothing of the product changes but that.
 */

import { toGid } from './gid.js';

/** A sales channel, by the handle of its app. */
export type ChannelHandle = 'online_store' | 'pos' | 'wholesale';

export interface Publication {
  readonly id: string;
  readonly title: string;
  readonly catalog: PublicationCatalog;
  readonly channel: Channel;
}

interface PublicationCatalog {
  readonly id: string;
  readonly title: string;
  readonly status: 'ACTIVE';
  readonly app: App;
}

export interface Channel {
  readonly id: string;
  readonly handle: string;
  readonly name: string;
  readonly app: App;
}

interface App {
  readonly id: string;
  readonly handle: string;
  readonly title: string;
}

/** Shopify's own numbers of its apps. */
const CHANNELS = {
  online_store: { title: 'Online Store', app: 580_111n },
  pos: { title: 'Point of Sale', app: 129_785n },
  wholesale: { title: 'Wholesale', app: 1_830_279n },
} as const satisfies Record<ChannelHandle, { readonly title: string; readonly app: bigint }>;

export const ALL_CHANNELS: readonly ChannelHandle[] = ['online_store', 'pos', 'wholesale'];
const FIRST_NUMBER = 59_012_874_281n;

export class Publications {
  readonly #byHandle: ReadonlyMap<string, Publication>;

  /** Those of a shop that has these channels. Their ids do not depend on which others there are. */
  constructor(handles: readonly ChannelHandle[]) {
    this.#byHandle = new Map(handles.map((handle) => [handle, makePublication(handle)]));
  }

  all(): readonly Publication[] {
    return [...this.#byHandle.values()];
  }

  /** Throws when the shop has no such channel: handles come from the developer. */
  named(handle: ChannelHandle): Publication {
    const publication = this.#byHandle.get(handle);
    if (publication === undefined) throw new Error(`the sandbox shop has no channel ${handle}`);
    return publication;
  }

  findHandle(publicationId: string): ChannelHandle | null {
    for (const [handle, { id }] of this.#byHandle) if (id === publicationId) return handle as ChannelHandle;
    return null;
  }
}

function makePublication(handle: ChannelHandle): Publication {
  const { title, app: number } = CHANNELS[handle];
  const offset = BigInt(ALL_CHANNELS.indexOf(handle));
  const app = { id: toGid('App', number), handle, title };
  const id = toGid('Publication', FIRST_NUMBER + offset);
  return {
    id,
    title,
    catalog: { id: toGid('AppCatalog', FIRST_NUMBER + 1_000n + offset), title, status: 'ACTIVE', app },
    channel: { id: toGid('Channel', FIRST_NUMBER + 2_000n + offset), handle, name: title, app },
  };
}

/** What is published where: since when, by channel. */
export type PublishedSince = Map<ChannelHandle, number>;

/** Since when it is published there; null when it is not, or not yet. */
export function publishedMsOn(
  { publishedSince }: { readonly publishedSince: PublishedSince },
  handle: ChannelHandle,
  nowMs: number,
): number | null {
  const since = publishedSince.get(handle);
  return since === undefined || since > nowMs ? null : since;
}
