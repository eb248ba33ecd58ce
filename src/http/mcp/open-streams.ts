/**
 * Streams that are open, and whether their callers are still welcome: a request is judged once, when it comes, and a stream is
 * a request that goes on for days. Each is judged again and again, and cut off when its token is revoked, over, or allows less.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authenticator } from '../../auth/authenticator.js';
import type { Caller } from '../../mcp/server.js';

export interface OpenStreamsOptions {
  readonly authenticator: Pick<Authenticator, 'judge'>;
  /** Between two looks. */
  readonly recheck_ms: number;
  /** Lets others have their turn. */
  readonly breathe: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

interface OpenStream {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: Pick<Caller, 'principal' | 'scopes'>;
}

/** So many are judged in one go: each may compare a token with every one of the list. */
const BATCH = 50;

export class OpenStreams {
  readonly #options: OpenStreamsOptions;
  readonly #open = new Set<OpenStream>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: OpenStreamsOptions) {
    this.#options = options;
  }

  /** Until it closes. */
  add(stream: OpenStream): void {
    this.#open.add(stream);
    stream.response.once('close', () => this.#open.delete(stream));
    this.#lookLater();
  }

  close(): void {
    this.#open.clear();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** The next look is counted from the end of the one before, and there is none while nothing is open. */
  #lookLater(): void {
    if (this.#timer !== null || this.#open.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#look()
        .catch(this.#options.onError)
        .finally(() => {
          this.#timer = null;
          this.#lookLater();
        });
    }, this.#options.recheck_ms);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    let judged = 0;
    for (const stream of [...this.#open]) {
      if (!this.#open.has(stream)) continue;
      if (!(await this.#isWelcome(stream))) stream.response.destroy();
      judged += 1;
      if (judged % BATCH === 0) await this.#options.breathe();
    }
  }

  /** Who can't be judged just now stays: what a stream tells is that something changed, and each question is judged anew. */
  async #isWelcome({ request, caller }: OpenStream): Promise<boolean> {
    const judgement = await this.#options.authenticator.judge(request);
    if (!judgement.ok) return judgement.challenge.status === 503;
    const { principal, scopes } = judgement.caller;
    return principal === caller.principal && [...caller.scopes].every((scope) => scopes.has(scope));
  }
}
