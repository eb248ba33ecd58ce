/**
 * The page behind a draft order's `invoiceUrl`, where its buyer pays. Shopify's own is a whole checkout; this one has a
 * button. Whoever knows the link may pay, as at Shopify.
 */

import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { numberOfGid, toGid } from '../../base/gid.js';
import { totalCents } from '../../base/line.js';
import { formatCents } from '../../base/money.js';
import type { DraftOrder, DraftOrders } from './draft-orders.js';
import type { Order } from './order.js';
import type { Orders } from './orders.js';
import type { Routing } from './routing.js';

/** Why a buyer can't pay: the draft is deleted, was paid before, or its hold has lapsed and others bought the units. */
export type PaymentRefusal = 'gone' | 'completed' | 'sold_out';

export type Payment =
  | { readonly order: Order; readonly refusal: null }
  | { readonly order: Order | null; readonly refusal: PaymentRefusal };

const PATH = /^\/invoices\/(?<draft>\d{1,20})\/(?<token>[0-9a-f]{32})$/u;
const STATUS = { gone: 404, completed: 409, sold_out: 409 } as const satisfies Record<PaymentRefusal, number>;
const REFUSAL_TEXT = {
  gone: 'This invoice is no longer available.',
  completed: 'This invoice has been paid already.',
  sold_out: 'Something on this invoice has been sold out meanwhile.',
} as const satisfies Record<PaymentRefusal, string>;

export class Checkout {
  readonly #routing: Routing;
  readonly #orders: Orders;
  readonly #draftOrders: DraftOrders;

  constructor(routing: Routing, orders: Orders, draftOrders: DraftOrders) {
    this.#routing = routing;
    this.#orders = orders;
    this.#draftOrders = draftOrders;
  }

  /** To be appended to the origin at which buyers reach the shop. */
  invoicePath({ id }: DraftOrder): string {
    return `/invoices/${numberOfGid(id)}/${deriveToken(id)}`;
  }

  /**
   * The buyer pays: the draft is completed and its order is paid. A hold that has lapsed is checked against the stock, as
   * Shopify's checkout does with policy DENY; a live one needs no look.
   */
  pay(draftId: string, nowMs: number): Payment {
    const refusal = this.#refusal(draftId);
    if (refusal) return { order: this.#findOrder(draftId), refusal };
    const options = { paymentPending: false, sourceName: null, gatewayId: null };
    this.#draftOrders.complete(draftId, options, nowMs);
    const order = this.#findOrder(draftId);
    if (!order) throw new Error(`${draftId} was completed without an order`);
    return { order, refusal: null };
  }

  /** Answers requests for invoices: GET shows the page, POST pays. False when the path is not one. */
  serve(request: IncomingMessage, response: ServerResponse, nowMs: () => number): boolean {
    const path = new URL(request.url ?? '/', 'http://sandbox.invalid').pathname;
    const { draft = '', token } = PATH.exec(path)?.groups ?? {};
    if (token === undefined) return false;
    const id = toGid('DraftOrder', BigInt(draft || '0'));
    request.resume();
    if (request.method !== 'GET' && request.method !== 'POST') {
      response.writeHead(405, { Allow: 'GET, POST' }).end();
      return true;
    }
    const atMs = nowMs();
    if (token !== deriveToken(id)) send(response, 404, 'Invoice', REFUSAL_TEXT.gone);
    else if (request.method === 'POST') this.#answerPayment(response, this.pay(id, atMs));
    else this.#answerPage(response, id);
    return true;
  }

  #answerPayment(response: ServerResponse, { order, refusal }: Payment): void {
    if (refusal === null) send(response, 200, 'Thank you', `Your order ${order.name} is paid.`);
    else send(response, STATUS[refusal], 'Invoice', refusalText(refusal, order));
  }

  #answerPage(response: ServerResponse, id: string): void {
    const draft = this.#draftOrders.get(id);
    const refusal = this.#refusal(id);
    if (refusal || !draft) {
      const why = refusal ?? 'gone';
      send(response, STATUS[why], 'Invoice', refusalText(why, this.#findOrder(id)));
      return;
    }
    const lines = draft.lines.map(
      ({ quantity, title, variantTitle, unitCents }) =>
        `<li>${quantity} × ${escaped(title)}${variantTitle === null ? '' : `, ${escaped(variantTitle)}`}: ${formatCents(unitCents * quantity)}</li>`,
    );
    const total = `<p>Total: ${formatCents(totalCents(draft.lines))}</p>`;
    const form = '<form method="post"><button type="submit">Pay now</button></form>';
    sendHtml(response, 200, `Invoice ${draft.name}`, `<ul>${lines.join('')}</ul>${total}${form}`);
  }

  #refusal(id: string): PaymentRefusal | null {
    const draft = this.#draftOrders.get(id);
    if (!draft) return 'gone';
    if (draft.orderId !== null) return 'completed';
    if (draft.held.length > 0 || this.#routing.claim(draft.lines, true)) return null;
    return 'sold_out';
  }

  #findOrder(draftId: string): Order | null {
    return this.#orders.get(this.#draftOrders.get(draftId)?.orderId ?? '') ?? null;
  }
}

/** Not secret, the sandbox has none; but a link must be had from the shop, not counted up. */
function deriveToken(draftId: string): string {
  return createHash('sha256').update(`invoice ${draftId}`).digest('hex').slice(0, 32);
}

function refusalText(refusal: PaymentRefusal, order: Order | null): string {
  return order ? `${REFUSAL_TEXT[refusal]} Its order is ${order.name}.` : REFUSAL_TEXT[refusal];
}

function send(response: ServerResponse, status: number, title: string, text: string): void {
  sendHtml(response, status, title, `<p>${escaped(text)}</p>`);
}

function sendHtml(response: ServerResponse, status: number, title: string, body: string): void {
  response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; form-action 'self'",
  });
  const head = `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title>`;
  response.end(`${head}<h1>${escaped(title)}</h1>${body}</html>\n`);
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
