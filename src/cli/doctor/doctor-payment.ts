/** Says who takes the money for the orders of agents, as the settings have it. */

import type { Config } from '../../config/config.js';
import { type Finding, fine } from './finding.js';

export function paymentFinding({ order_mode, order_payment }: Config): Finding {
  return fine('payment', order_mode === 'checkout_link' ? BY_LINK : BY_SERVER[order_payment]);
}

const BY_LINK =
  'Buyers pay at the shop’s own checkout, before there is an order (HOLDFAST_ORDER_MODE=checkout_link).';

const BY_SERVER = {
  pending: 'Orders are left to be paid: collect the money in Shopify (HOLDFAST_ORDER_PAYMENT=pending).',
  paid: 'Orders are marked as paid, and nobody is asked to pay (HOLDFAST_ORDER_PAYMENT=paid). That is right only where the money is taken before the agent orders.',
} as const satisfies Record<Config['order_payment'], string>;
