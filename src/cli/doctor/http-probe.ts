/** One HTTP exchange that tells what stood in the way: the name, the connection, TLS, time, or the answer itself. */

/** What the world lends to a check. */
export interface Net {
  readonly fetch: typeof fetch;
  /** This machine's wall clock, in milliseconds since 1970. */
  readonly now: () => number;
}

export interface Answered {
  readonly answered: true;
  readonly status: number;
  /** Where a redirect points; it is not followed. */
  readonly location: string | null;
  /** Null when the answer does not say. */
  readonly content_type: string | null;
  /** By the Date header, to the second below; null when there was none. */
  readonly their_time_ms: number | null;
  readonly sent_at_ms: number;
  readonly received_at_ms: number;
}

export type Obstacle = 'name_not_found' | 'no_connection' | 'tls_failed' | 'timed_out';

export interface Obstructed {
  readonly answered: false;
  readonly obstacle: Obstacle;
  /** The machine's own word for it, such as ECONNREFUSED. */
  readonly word: string;
}

export type Reached = Answered | Obstructed;

export interface Request {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeout_ms: number;
}

export async function reach({ url, timeout_ms, ...init }: Request, net: Net): Promise<Reached> {
  const sent_at_ms = net.now();
  try {
    const response = await net.fetch(url, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout_ms),
    });
    const received_at_ms = net.now();
    // Nobody reads it, and an endless body must not keep the process.
    await response.body?.cancel();
    const their_time_ms = Date.parse(response.headers.get('date') ?? '');
    return {
      answered: true,
      status: response.status,
      location: response.headers.get('location'),
      content_type: response.headers.get('content-type'),
      their_time_ms: Number.isNaN(their_time_ms) ? null : their_time_ms,
      sent_at_ms,
      received_at_ms,
    };
  } catch (error) {
    return classifyObstacle(error);
  }
}

const NAME_WORDS = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME']);
const TIME_WORDS = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'TimeoutError',
]);
/** OpenSSL's verdicts on a certificate come as codes of their own; those that Node names begin with one of these. */
const TLS_WORD =
  /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO|INVALID_CA)/;

function classifyObstacle(error: unknown): Obstructed {
  const word = readErrorCode(error);
  if (NAME_WORDS.has(word)) return { answered: false, obstacle: 'name_not_found', word };
  if (TIME_WORDS.has(word)) return { answered: false, obstacle: 'timed_out', word };
  if (TLS_WORD.test(word)) return { answered: false, obstacle: 'tls_failed', word };
  return { answered: false, obstacle: 'no_connection', word };
}

/** `fetch` wraps what happened: the code is on the cause, or on the first of several. */
function readErrorCode(error: unknown): string {
  const { name, code, cause, errors } = error as {
    readonly name?: string;
    readonly code?: unknown;
    readonly cause?: unknown;
    readonly errors?: readonly unknown[];
  };
  if (name === 'TimeoutError') return name;
  if (typeof code === 'string') return code;
  if (cause !== undefined) return readErrorCode(cause);
  return errors?.[0] === undefined ? (name ?? 'unknown') : readErrorCode(errors[0]);
}
