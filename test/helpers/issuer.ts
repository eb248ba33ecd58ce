/** An issuer of access tokens on loopback: metadata, keys that rotate, and whatever can go wrong with either. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  type JWTPayload,
  SignJWT,
} from 'jose';

export const RESOURCE = 'https://stock.example.com/mcp';

export interface TokenWish {
  /** `undefined` leaves a claim out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
}

interface Key {
  readonly kid: string;
  readonly alg: string;
  readonly secret: CryptoKey;
  readonly open: CryptoKey;
}

export class TestIssuer {
  readonly #server: Server;
  /** What it signs with; the newest is used. */
  readonly #keys: Key[] = [];
  readonly origin: string;
  /** Paths asked for, in order. */
  readonly asked: string[] = [];
  /** Instead of an answer. */
  trouble: 'none' | 'status' | 'hang' | 'long' | 'no_json' = 'none';
  /** What its metadata say that it is called. */
  calledItself: string;
  metadataPath = '/.well-known/oauth-authorization-server';

  private constructor(server: Server) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.calledItself = this.origin;
  }

  static async start(): Promise<TestIssuer> {
    let issuer: TestIssuer | undefined;
    const server = createServer((request, response) => {
      if (issuer === undefined) return;
      void issuer.#answer(request.url ?? '', response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    issuer = new TestIssuer(server);
    await issuer.rotate();
    return issuer;
  }

  async #answer(url: string, response: import('node:http').ServerResponse): Promise<void> {
    this.asked.push(url);
    if (this.trouble === 'hang') return;
    if (this.trouble === 'status') response.writeHead(500).end();
    else if (this.trouble === 'long') response.writeHead(200).end(`{"keys":"${'x'.repeat(300_000)}"}`);
    else if (this.trouble === 'no_json') response.writeHead(200).end('<html>');
    else if (url === this.metadataPath)
      response.end(JSON.stringify({ issuer: this.calledItself, jwks_uri: `${this.origin}/keys` }));
    else if (url === '/keys') response.end(JSON.stringify({ keys: await this.#publicKeys() }));
    else response.writeHead(404).end();
  }

  #publicKeys(): Promise<JWK[]> {
    return Promise.all(
      this.#keys.map(async ({ kid, alg, open }) => ({ ...(await exportJWK(open)), kid, alg, use: 'sig' })),
    );
  }

  /** A new key, which signs from now on. */
  async rotate(alg = 'ES256'): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(alg);
    this.#keys.push({ kid: `key-${this.#keys.length + 1}`, alg, secret: privateKey, open: publicKey });
  }

  get #key(): Key {
    const key = this.#keys.at(-1);
    if (key === undefined) throw new Error('an issuer without keys');
    return key;
  }

  /** Good for ten minutes unless the wish says otherwise. */
  token({ claims = {}, header = {} }: TokenWish = {}, signer: CryptoKey = this.#key.secret): Promise<string> {
    const { kid, alg } = this.#key;
    return new SignJWT(this.claims(claims))
      .setProtectedHeader({ alg, kid, typ: 'at+jwt', ...header })
      .sign(signer);
  }

  claims(claims: Readonly<Record<string, unknown>> = {}): JWTPayload {
    const now_s = Math.floor(Date.now() / 1000);
    return {
      iss: this.origin,
      aud: RESOURCE,
      sub: 'agent-7',
      iat: now_s,
      exp: now_s + 600,
      scope: 'openid inventory:read inventory:reserve',
      ...claims,
    };
  }

  /** For who tries it as a shared secret. */
  publicPem(): Promise<string> {
    return exportSPKI(this.#key.open);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
