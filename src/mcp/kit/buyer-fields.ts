/**
 * Who buys, and where it goes, as an agent sends it. What can't be right is refused here, by the name of the field, before
 * anything is ordered; what only the shop knows comes back as `buyer_refused`.
 */

import * as z from 'zod';
import { COUNTRY_CODES } from '../../ledger/model/values/countries.js';
import { fields, shortText } from './fields.js';
import { normalizePhone } from './phone-number.js';
import { normalizeProvince } from './provinces.js';

const NAME_MAX_CHARS = 200;
const EMAIL_MAX_CHARS = 254;

const COUNTRY_WANTS = 'wants the two letters of a country, like DE (ISO 3166-1)';
const PROVINCE_WANTS =
  'wants a state or province of that country, by its code or its name, like CA or California';
const PHONE_WANTS =
  'wants a telephone number with its country code, like +49 30 1234567; without one only where shipping_address has a country_code';

const name = shortText(NAME_MAX_CHARS).optional();

const address = fields({
  address1: name.describe('street, number'),
  address2: name.describe('flat, floor'),
  city: name.describe('town'),
  province: name.describe('code or name'),
  postal_code: name.describe('ZIP'),
  country_code: z
    .string(COUNTRY_WANTS)
    .regex(/^[A-Za-z]{2}$/, COUNTRY_WANTS)
    .transform((code) => code.toUpperCase())
    .refine((code) => COUNTRY_CODES.has(code), COUNTRY_WANTS)
    .optional()
    .describe('like DE'),
}).transform((given, context) => {
  if (given.province === undefined || given.province === '') return given;
  const province = normalizeProvince(given.province, given.country_code);
  if (province !== null) return { ...given, province };
  context.addIssue({ code: 'custom', path: ['province'], message: PROVINCE_WANTS, input: given.province });
  return z.NEVER;
});

/** Parsed asynchronously, because what knows telephone numbers is loaded when there is one. */
export const buyer = fields({
  email: z
    .email('wants an e-mail address')
    .refine((input) => input.length <= EMAIL_MAX_CHARS, 'wants an e-mail address')
    .optional()
    .describe('for the receipt'),
  name: name.describe('full name'),
  phone: name.describe('like +49 30 1234567'),
  shipping_address: address.optional().describe('where it goes'),
}).transform(async (given, context) => {
  if (given.phone === undefined || given.phone === '') return given;
  const phone = await normalizePhone(given.phone, given.shipping_address?.country_code);
  if (phone !== null) return { ...given, phone };
  context.addIssue({ code: 'custom', path: ['phone'], message: PHONE_WANTS, input: given.phone });
  return z.NEVER;
});
