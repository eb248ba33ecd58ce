/** What an issuer of tokens tells about itself (RFC 8414, OpenID Connect Discovery), read with a limit on everything. */

/** Fixed words: what an issuer sends never gets into a log or an answer. */
export type IssuerFault =
  | 'no_answer'
  | 'timed_out'
  | 'bad_status'
  | 'too_long'
  | 'not_json'
  | 'other_issuer'
  | 'no_keys_address'
  | 'no_keys';

/** Thrown when the issuer does not tell what is needed. */
export class IssuerSilent extends Error {
  readonly fault: IssuerFault;

  constructor(fault: IssuerFault) {
    super(`the issuer of tokens: ${fault}`);
    this.name = 'IssuerSilent';
    this.fault = fault;
  }
}

export interface IssuerAccess {
  readonly fetch: typeof fetch;
  readonly call_ms: number;
  readonly answer_max_bytes: number;
}

/** The address of the issuer's keys, from the first of its metadata documents that is there. Throws `IssuerSilent`. */
export async function findKeysAddress(issuer: string, access: IssuerAccess): Promise<string> {
  let missing = new IssuerSilent('bad_status');
  for (const url of metadataAddresses(issuer)) {
    try {
      return addressIn(await readJson(url, access), issuer);
    } catch (error) {
      // One that is not there, or is some page, is looked for at the next place. What contradicts itself is not.
      if (!(error instanceof IssuerSilent)) throw error;
      if (error.fault !== 'bad_status' && error.fault !== 'not_json') throw error;
      missing = error;
    }
  }
  throw missing;
}

/** The order that MCP gives them in (authorization, “Authorization Server Metadata Discovery”). */
function metadataAddresses(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/+$/, '');
  const addresses = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
  return [...new Set(addresses)];
}

/** The document must speak of the issuer that was asked for (RFC 8414, section 3.3), to the letter. */
function addressIn(document: Readonly<Record<string, unknown>>, issuer: string): string {
  if (document['issuer'] !== issuer) throw new IssuerSilent('other_issuer');
  const { jwks_uri } = document;
  if (typeof jwks_uri !== 'string' || !URL.canParse(jwks_uri)) throw new IssuerSilent('no_keys_address');
  // An issuer on loopback is a test's; any other may not lead us into the clear.
  const isSafe = new URL(jwks_uri).protocol === 'https:' || new URL(issuer).protocol === 'http:';
  if (!isSafe) throw new IssuerSilent('no_keys_address');
  return jwks_uri;
}

/** A JSON object. Redirects are not followed. Throws `IssuerSilent`. */
export async function readJson(
  url: string,
  { fetch, call_ms, answer_max_bytes }: IssuerAccess,
): Promise<Readonly<Record<string, unknown>>> {
  let text: string;
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(call_ms),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new IssuerSilent('bad_status');
    }
    text = await boundedText(response, answer_max_bytes);
  } catch (error) {
    if (error instanceof IssuerSilent) throw error;
    throw new IssuerSilent((error as Error).name === 'TimeoutError' ? 'timed_out' : 'no_answer');
  }
  return parseObject(text);
}

async function boundedText({ body }: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels what is still to come.
    if (bytes > bytesMax) throw new IssuerSilent('too_long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Readonly<Record<string, unknown>>;
    }
  } catch {
    // Told below, without the parser's words: they repeat the text.
  }
  throw new IssuerSilent('not_json');
}
