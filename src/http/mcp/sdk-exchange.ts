/**
 * Node's request and response, as the SDK's handlers want and give them. The web's own `Request` and the streams of
 * `Response` are what its Node adapter spends most of a small call on; a call's body is parsed already, and of the rest the
 * handlers read the method, the headers and the signal.
 */

import type { IncomingHttpHeaders, ServerResponse } from 'node:http';

/** What the SDK reads of a request whose body it gets parsed. */
class SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Pick<Headers, 'get' | 'has'>;
  readonly signal: AbortSignal | undefined;

  constructor(method: string, url: string, headers: IncomingHttpHeaders, signal: AbortSignal | undefined) {
    this.method = method;
    this.url = url;
    this.signal = signal;
    const get = (name: string): string | null => {
      const value = headers[name.toLowerCase()];
      return value === undefined ? null : String(value);
    };
    this.headers = { get, has: (name) => get(name) !== null };
  }
}

/** `signal`: left out where nothing is to be given up because the client has left. */
export function sdkRequest(method: string, headers: IncomingHttpHeaders, signal?: AbortSignal): Request {
  return new SeenRequest(method, 'http://holdfast/mcp', headers, signal) as unknown as Request;
}

export type Written = 'answered' | 'streamed';

/** Resolves when all of it is written, or nobody is there any more. `onStream` is told when the answer is to stay open. */
export async function writeSdkResponse(
  response: ServerResponse,
  answer: Response,
  onStream: () => void = () => undefined,
): Promise<Written> {
  const type = answer.headers.get('content-type');
  if (answer.body !== null && type?.startsWith('text/event-stream') === true) {
    onStream();
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).flushHeaders();
    await pump(answer.body, response);
    return 'streamed';
  }
  const text = answer.body === null ? '' : await answer.text();
  const headers: Record<string, string | number> = { 'content-length': Buffer.byteLength(text) };
  for (const [name, value] of answer.headers) headers[name] = value;
  response.writeHead(answer.status, headers).end(text);
  return 'answered';
}

/**
 * Reads on only when what was written has left: a client that does not read keeps its stream waiting. What the SDK goes on
 * queueing behind it is bounded by whoever feeds it, for the SDK's streams know no pressure. A stream of changes gets nothing
 * while its response is full (`ListenBus`), but for a comment of some bytes four times a minute. Tools of ours tell nothing
 * before their answer; those of a server that is not ours (`streams_calls`: conformance runs and measurements) queue what one
 * call has to say.
 */
async function pump(body: ReadableStream<Uint8Array>, response: ServerResponse): Promise<void> {
  const reader = body.getReader();
  const onClose = (): void => void reader.cancel().catch(() => undefined);
  response.once('close', onClose);
  if (response.destroyed) onClose();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || response.destroyed) break;
      if (!response.write(value)) await drained(response);
    }
  } finally {
    response.off('close', onClose);
    response.end();
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
