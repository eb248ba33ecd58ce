/** A time limit on each page of a read instead of on all of it: how long the whole takes is then no reason to lose it. */

import { UpstreamError } from '../sources/source.js';

/** A single page took longer than our own limit. */
export class PageTooLate extends UpstreamError {
  constructor(page_ms: number) {
    super('unreachable', `a page took longer than ${page_ms} ms`);
    this.name = 'PageTooLate';
  }
}

/**
 * The pages of a read, each within `page_ms`. The time that the caller takes over a page does not count. Throws
 * PageTooLate, and what the read itself throws.
 */
export async function* eachWithin<Page>(
  page_ms: number,
  signal: AbortSignal,
  read: (signal: AbortSignal) => AsyncIterable<Page>,
): AsyncGenerator<Page> {
  const late = new AbortController();
  const pages = read(AbortSignal.any([signal, late.signal]))[Symbol.asyncIterator]();
  const next = async (): Promise<IteratorResult<Page>> => {
    const limit = setTimeout(() => late.abort(), page_ms);
    try {
      return await pages.next();
    } catch (error) {
      throw late.signal.aborted && !signal.aborted ? new PageTooLate(page_ms) : error;
    } finally {
      clearTimeout(limit);
    }
  };
  try {
    for (let page = await next(); page.done !== true; page = await next()) yield page.value;
  } finally {
    await pages.return?.();
  }
}
