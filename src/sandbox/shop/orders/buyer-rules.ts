/**
 * What the shop refuses of a buyer's details, in Shopify's words. Captured from real shops: "Email is invalid", "Phone is
 * invalid", "State is not a valid state in United States" at `province`. From its forum: "Email contains an invalid domain
 * name" (of gmail.ru), "Phone number in shipping address is invalid" with no field, of a number that was a good one. Which
 * domains and numbers it does not like, Shopify does not say: here they are a setting.
 */

import type { AddressInput } from '../../base/line.js';
import type { UserError } from '../../base/user-error.js';

export interface BuyerRules {
  /** E-mail domains that are refused, besides those that end in `.invalid`. */
  readonly emailDomains: readonly string[];
  /** Digits of telephone numbers that are refused although they look right. */
  readonly phones: readonly string[];
  /** Whether the province of an address has to be one of its country, where the country's are known here. */
  readonly checksProvinces: boolean;
}

export const BUYER_RULES: BuyerRules = { emailDomains: ['gmail.ru'], phones: [], checksProvinces: true };

export interface BuyerDetails {
  readonly email?: string | null;
  readonly phone?: string | null;
  readonly shippingAddress?: (AddressInput & { readonly province?: string | null }) | null;
}

interface Zones {
  readonly country: string;
  readonly word: string;
  readonly codes: readonly string[];
  readonly names: readonly string[];
}

/** A few countries are enough to be refused in; of the others every province is taken. */
const ZONES: ReadonlyMap<string, Zones> = new Map([
  [
    'US',
    {
      country: 'United States',
      word: 'State',
      codes: (
        'AL AK AS AZ AR CA CO CT DE DC FM FL GA GU HI ID IL IN IA KS KY LA ME MH MD MA MI MN MS MO MT NE NV NH NJ NM NY ' +
        'NC ND MP OH OK OR PW PA PR RI SC SD TN TX VI UT VT VA WA WV WI WY AA AE AP'
      ).split(' '),
      names: ['California', 'New York', 'Texas', 'Washington'],
    },
  ],
  [
    'CA',
    {
      country: 'Canada',
      word: 'Province',
      codes: 'AB BC MB NB NL NT NS NU ON PE QC SK YT'.split(' '),
      names: ['British Columbia', 'Ontario', 'Quebec'],
    },
  ],
  [
    'IT',
    {
      country: 'Italy',
      word: 'Province',
      codes: 'BO FI GE MI NA PA RM TO VE VR'.split(' '),
      names: ['Milano', 'Roma', 'Torino'],
    },
  ],
]);

/** Paths as in `DraftOrderInput` and `OrderCreateOrderInput`; callers put what stands before them. */
export function buyerErrors(details: BuyerDetails, rules: BuyerRules): UserError[] {
  const { email, phone, shippingAddress: address } = details;
  return [
    ...emailErrors(email ?? null, rules),
    ...(isBadPhone(phone ?? null, rules) ? [{ field: ['phone'], message: 'Phone is invalid' }] : []),
    ...(isBadPhone(address?.phone ?? null, rules)
      ? [{ field: null, message: 'Phone number in shipping address is invalid' }]
      : []),
    ...(rules.checksProvinces && address ? provinceErrors(address) : []),
  ];
}

function emailErrors(email: string | null, { emailDomains }: BuyerRules): UserError[] {
  if (email === null) return [];
  if (!/^\S+@\S+$/u.test(email)) return [{ field: ['email'], message: 'Email is invalid' }];
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase();
  return emailDomains.includes(domain) || domain.endsWith('.invalid')
    ? [{ field: ['email'], message: 'Email contains an invalid domain name' }]
    : [];
}

/** Letters, or too few or too many digits; or one that this shop does not like. */
function isBadPhone(phone: string | null, { phones }: BuyerRules): boolean {
  if (phone === null || phone === '') return false;
  const digits = phone.replace(/ ext\..*$/u, '').replace(/\D/gu, '');
  return (
    /\p{L}/u.test(phone.replace(/ ext\..*$/u, '')) || !/^\d{7,15}$/u.test(digits) || phones.includes(digits)
  );
}

function provinceErrors({
  countryCode,
  provinceCode,
  province,
}: NonNullable<BuyerDetails['shippingAddress']>): UserError[] {
  const zones = ZONES.get(countryCode ?? '');
  if (zones === undefined) return [];
  const isKnown =
    provinceCode == null
      ? province == null || zones.names.includes(province)
      : zones.codes.includes(provinceCode);
  if (isKnown) return [];
  const message = `${zones.word} is not a valid ${zones.word.toLowerCase()} in ${zones.country}`;
  return [{ field: ['shippingAddress', 'province'], message }];
}
