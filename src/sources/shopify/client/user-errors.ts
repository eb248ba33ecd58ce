/**
 * What Shopify's user errors mean for an order: one table for `draftOrderCreate`, `draftOrderUpdate`, `draftOrderComplete`
 * and `orderCreate`. Drafts' errors have no codes, so their words are all there is; each row says where its words were
 * seen. Where no row fits, an error that points at a detail of the buyer is about that detail, and any other is a refusal
 * whose cause is not known.
 */

import type { BuyerField } from '../../../ledger/model/values/buyer.js';
import type { RefusalCause } from '../../source.js';

export interface ShopError {
  readonly field: readonly string[] | null;
  readonly message: string;
  readonly code?: string | null;
}

/**
 * `buyer_refused`: the order waits for corrected details. `out_of_stock`: it fails, its units were sold elsewhere. `paced`:
 * it waits its turn. `done`: the shop has it already, so it is read. `later`: our clock is behind the shop's, so the same is
 * tried again. `refused`: it fails, and the agent is told the cause.
 */
export type ErrorMeaning =
  | { readonly means: 'buyer_refused'; readonly field: BuyerField }
  | { readonly means: 'out_of_stock' | 'paced' | 'done' | 'later' }
  | { readonly means: 'refused'; readonly cause: RefusalCause | null };

export interface ErrorRule {
  /** A code of `OrderCreateUserErrorCode`. */
  readonly code?: string;
  /** Words of the message. */
  readonly says?: RegExp;
  /** The path that the error points at, joined by dots and without `input` or `order` in front. */
  readonly at?: RegExp;
  readonly meaning: ErrorMeaning;
}

const refusedFor = (cause: RefusalCause): ErrorMeaning => ({ means: 'refused', cause });
const buyerRefused = (field: BuyerField): ErrorMeaning => ({ means: 'buyer_refused', field });

/** The first that fits counts. Sources: [C] captured from real shops, [D] Shopify's documentation and forum, [S] its schema. */
export const ERROR_RULES: readonly ErrorRule[] = [
  // [D] community: over the order limit of a development store; no code, on any of the mutations that make orders.
  { says: /order API rate limit/i, meaning: { means: 'paced' } },
  // [C] 2026-10: out of stock has the code INVALID, although the schema has one of its own [S].
  { code: 'INVENTORY_CLAIM_FAILED', meaning: { means: 'out_of_stock' } },
  { says: /unable to reserve inventory/i, meaning: { means: 'out_of_stock' } },
  // [C] a second completion answers with the order and this.
  { says: /order has been paid/i, meaning: { means: 'done' } },
  { says: /already (?:been )?completed/i, meaning: { means: 'done' } },
  // [C] draftOrderCreate and draftOrderUpdate; [S] orderCreate with `processedAt`.
  { says: /reserve until can't be in the past/i, meaning: { means: 'later' } },
  { code: 'PROCESSED_AT_INVALID', meaning: { means: 'later' } },
  { code: 'SHOP_DORMANT', meaning: refusedFor('shop_closed') },
  // [C] "Product with ID 1 is no longer available."; "Line items is invalid", "Line items Name can't be blank" of an unknown variant.
  { says: /is no longer available/i, meaning: refusedFor('item_unavailable') },
  {
    says: /^(?:order )?line items (?:is invalid|name can't be blank)/i,
    meaning: refusedFor('item_unavailable'),
  },
  { says: /merchandise.* does not exist/i, meaning: refusedFor('item_unavailable') },
  // [C] draftOrderComplete.
  { says: /payment gateway/i, meaning: refusedFor('payment') },
  { says: /payment terms/i, meaning: refusedFor('payment') },
  // [C] draftOrderUpdate, draftOrderComplete.
  { says: /draft order (?:does not exist|not found)/i, meaning: refusedFor('gone') },
  // [C] tags of 40 characters, 250 of them, 499 lines.
  {
    says: /maximum (?:length|allowed)|exceeds? the maximum/i,
    at: /^(?:tags|lineItems)/,
    meaning: refusedFor('limit'),
  },
  { says: /add at least 1 product|at least one line item/i, meaning: refusedFor('malformed') },
  { says: /quantity must be greater/i, meaning: refusedFor('malformed') },
  { code: 'FULFILLMENT_SERVICE_INVALID', meaning: refusedFor('malformed') },
  { code: 'REDUNDANT_CUSTOMER_FIELDS', meaning: refusedFor('malformed') },
  { code: 'TAX_LINE_RATE_MISSING', meaning: refusedFor('malformed') },
  // [D] community: field null, "Phone number in shipping address is invalid", although the number was a good one.
  { says: /phone number in .*address/i, meaning: buyerRefused('buyer.phone') },
  { at: /^(?:shippingAddress\.)?phone$/, meaning: buyerRefused('buyer.phone') },
  { at: /^email$/, meaning: buyerRefused('buyer.email') },
  // [C] "Enter a last name".
  { at: /^shippingAddress\.(?:first|last)Name$/, meaning: buyerRefused('buyer.name') },
  // [C] "State is not a valid state in United States", at `province`; "Province is invalid" of a customer's address.
  { at: /^shippingAddress\.province(?:Code)?$/, meaning: buyerRefused('buyer.shipping_address.province') },
  { at: /^shippingAddress\.country(?:Code)?$/, meaning: buyerRefused('buyer.shipping_address.country_code') },
  // [C] "Enter a ZIP code", [D] "Zip is not valid for Canada".
  { at: /^shippingAddress\.zip$/, meaning: buyerRefused('buyer.shipping_address.postal_code') },
  { at: /^shippingAddress\.city$/, meaning: buyerRefused('buyer.shipping_address.city') },
  { at: /^shippingAddress\.address1$/, meaning: buyerRefused('buyer.shipping_address.address1') },
  { at: /^shippingAddress\.address2$/, meaning: buyerRefused('buyer.shipping_address.address2') },
  { at: /^shippingAddress(?:\.|$)/, meaning: buyerRefused('buyer.shipping_address') },
  { at: /^note$/, meaning: buyerRefused('note') },
  { at: /^customAttributes(?:\.|$)/, meaning: buyerRefused('reference') },
  // Without a field only the words tell. [D] "Email contains an invalid domain name", "Email is invalid".
  { says: /^(?:order |customer )?e-?mail\b/i, meaning: buyerRefused('buyer.email') },
  { says: /^(?:order |customer )?phone\b/i, meaning: buyerRefused('buyer.phone') },
  {
    says: /^(?:shipping address )?(?:state|province|region)\b/i,
    meaning: buyerRefused('buyer.shipping_address.province'),
  },
  { says: /^(?:shipping address )?country\b/i, meaning: buyerRefused('buyer.shipping_address.country_code') },
  {
    says: /^(?:shipping address )?(?:zip|postal code)\b/i,
    meaning: buyerRefused('buyer.shipping_address.postal_code'),
  },
  { says: /^shipping address\b/i, meaning: buyerRefused('buyer.shipping_address') },
];

const NOT_KNOWN = { means: 'refused', cause: null } as const satisfies ErrorMeaning;

export function judgeError({ field, message, code }: ShopError): ErrorMeaning {
  const path = (field ?? [])
    .map(camelCased)
    .join('.')
    .replace(/^(?:input|order)(?:\.|$)/, '');
  const rule = ERROR_RULES.find(
    (one) =>
      (one.code === undefined || one.code === code) &&
      (one.says === undefined || one.says.test(message)) &&
      (one.at === undefined || one.at.test(path)),
  );
  return rule?.meaning ?? NOT_KNOWN;
}

/** What all errors of one answer mean together. Details can be corrected only where nothing else stands in the way. */
export type ErrorsMeaning =
  | { readonly means: 'buyer_refused'; readonly fields: readonly BuyerField[] }
  | Exclude<ErrorMeaning, { means: 'buyer_refused' }>;

export function judgeErrors(errors: readonly ShopError[]): ErrorsMeaning {
  const meanings = errors.map(judgeError);
  const fields = meanings.flatMap((one) => (one.means === 'buyer_refused' ? [one.field] : []));
  const others = meanings.flatMap((one) => (one.means === 'buyer_refused' ? [] : [one]));
  const [gravest] = WEIGHT.flatMap((means) => others.filter((one) => one.means === means));
  if (gravest !== undefined) return gravest;
  return fields.length > 0 ? { means: 'buyer_refused', fields: [...new Set(fields)] } : NOT_KNOWN;
}

/** What says most about the order comes first. */
const WEIGHT = ['done', 'paced', 'out_of_stock', 'refused', 'later'] as const satisfies readonly Exclude<
  ErrorMeaning['means'],
  'buyer_refused'
>[];

/** Paths come in both spellings. */
function camelCased(part: string): string {
  return part.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
