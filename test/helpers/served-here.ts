/** Our HTTP server in this process, over a ledger that knows one mug. */

import { LIMITS } from '../../src/config/config.js';
import { type HttpOptions, type HttpServing, serveOnHttp } from '../../src/http/http.js';
import { Metrics } from '../../src/observability/metrics.js';
import { knownAs } from './known-as.js';
import { AGENT, TestLedger } from './ledger.js';

type Options = { readonly [Name in keyof HttpOptions]?: Exclude<HttpOptions[Name], undefined> };

export class ServedHere {
  readonly shop: TestLedger;
  readonly metrics = new Metrics();
  /** Trouble that was told, as often as it was. */
  readonly told: string[] = [];
  readonly #servings: HttpServing[] = [];

  private constructor(shop: TestLedger) {
    this.shop = shop;
  }

  static async open(): Promise<ServedHere> {
    const shop = await TestLedger.open();
    await shop.seed({ sku: 'MUG' });
    return new ServedHere(shop);
  }

  async serve(options: Options = {}): Promise<HttpServing> {
    const { shop, metrics } = this;
    const reportBug = (error: unknown): string => {
      throw error;
    };
    const serving = await serveOnHttp(
      { version: '0' },
      { ledger: shop.ledger, reportBug },
      {
        ...LIMITS.http,
        host: '127.0.0.1',
        port: 0,
        authenticator: knownAs(AGENT),
        metrics,
        onError: () => undefined,
        report: (event) => this.told.push(event),
        ...options,
      },
    );
    this.#servings.push(serving);
    return serving;
  }

  async close(): Promise<void> {
    for (const serving of this.#servings.splice(0)) await serving.close();
    await this.shop.close();
  }
}
