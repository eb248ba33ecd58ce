/** Bodies of requests, within limits: how long one is, how long it takes, and how much of all of them lies in memory. */

import type { IncomingMessage } from 'node:http';

export interface BodyLimits {
  readonly body_max_bytes: number;
  /**
   * So much of each body is always taken: the listener's limit of connections bounds it, and whoever stalls with large
   * bodies turns no ordinary one away.
   */
  readonly small_max_bytes: number;
  /** What bodies being received have beyond that, together: memory stays bounded however many come at once. */
  readonly buffer_max_bytes: number;
  readonly timeout_ms: number;
}

export type WhyUnreceived = 'too_large' | 'too_slow' | 'busy' | 'broken_off';

/** The body did not come, or was not let in. */
export class Unreceived extends Error {
  override readonly name = 'Unreceived';
  readonly why: WhyUnreceived;

  constructor(why: WhyUnreceived) {
    super(why);
    this.why = why;
  }
}

export class BodyReader {
  readonly #limits: BodyLimits;
  /** Of all bodies that are being received, what each has beyond a small one. */
  #buffered_bytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /** The whole body, as long as `use` works on it counted among those being received. Rejects with `Unreceived`. */
  async received<T>(request: IncomingMessage, use: (body: Buffer) => Promise<T>): Promise<T> {
    const { body_max_bytes, small_max_bytes, buffer_max_bytes } = this.#limits;
    // NaN for a body whose length is not declared.
    if (Number(request.headers['content-length']) > body_max_bytes) throw new Unreceived('too_large');
    const chunks: Buffer[] = [];
    let bytes = 0;
    let shared_bytes = 0;
    try {
      await this.#chunks(request, (chunk) => {
        bytes += chunk.length;
        if (bytes > body_max_bytes) throw new Unreceived('too_large');
        const grown_bytes = Math.max(0, bytes - small_max_bytes) - shared_bytes;
        if (grown_bytes > 0 && this.#buffered_bytes + grown_bytes > buffer_max_bytes)
          throw new Unreceived('busy');
        shared_bytes += grown_bytes;
        this.#buffered_bytes += grown_bytes;
        chunks.push(chunk);
      });
      const [only] = chunks;
      return await use(only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks));
    } finally {
      this.#buffered_bytes -= shared_bytes;
    }
  }

  /** Resolves at the end of the body. Not an async iterator: ending one early destroys the connection with the answer. */
  #chunks(request: IncomingMessage, take: (chunk: Buffer) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(new Unreceived('too_slow')), this.#limits.timeout_ms);
      const onData = (chunk: Buffer): void => {
        try {
          take(chunk);
        } catch (refusal) {
          settle(refusal as Error);
        }
      };
      const onEnd = (): void => settle(null);
      const onClose = (): void => settle(new Unreceived('broken_off'));
      const settle = (error: Error | null): void => {
        clearTimeout(timer);
        request.off('data', onData).off('end', onEnd).off('close', onClose);
        if (error === null) resolve();
        else reject(error);
      };
      request.on('data', onData).on('end', onEnd).on('close', onClose);
      // A connection that breaks says so here, and closes.
      request.on('error', () => undefined);
    });
  }
}
