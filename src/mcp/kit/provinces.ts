/**
 * States and provinces of the countries whose shops know them by their ISO 3166-2 codes and want one of them in every
 * address. Of other countries the shop alone decides: some have codes of its own, and most have none.
 */

const UNITED_STATES =
  'AL Alabama, AK Alaska, AS American Samoa, AZ Arizona, AR Arkansas, CA California, CO Colorado, CT Connecticut, ' +
  'DE Delaware, DC District of Columbia, FM Micronesia, FL Florida, GA Georgia, GU Guam, HI Hawaii, ID Idaho, IL Illinois, ' +
  'IN Indiana, IA Iowa, KS Kansas, KY Kentucky, LA Louisiana, ME Maine, MH Marshall Islands, MD Maryland, ' +
  'MA Massachusetts, MI Michigan, MN Minnesota, MS Mississippi, MO Missouri, MT Montana, NE Nebraska, NV Nevada, ' +
  'NH New Hampshire, NJ New Jersey, NM New Mexico, NY New York, NC North Carolina, ND North Dakota, ' +
  'MP Northern Mariana Islands, OH Ohio, OK Oklahoma, OR Oregon, PW Palau, PA Pennsylvania, PR Puerto Rico, ' +
  'RI Rhode Island, SC South Carolina, SD South Dakota, TN Tennessee, TX Texas, VI Virgin Islands, UT Utah, VT Vermont, ' +
  'VA Virginia, WA Washington, WV West Virginia, WI Wisconsin, WY Wyoming, AA Armed Forces Americas, ' +
  'AE Armed Forces Europe, AP Armed Forces Pacific';

const CANADA =
  'AB Alberta, BC British Columbia, MB Manitoba, NB New Brunswick, NL Newfoundland and Labrador, NT Northwest Territories, ' +
  'NS Nova Scotia, NU Nunavut, ON Ontario, PE Prince Edward Island, QC Quebec, SK Saskatchewan, YT Yukon';

const AUSTRALIA =
  'ACT Australian Capital Territory, NSW New South Wales, NT Northern Territory, QLD Queensland, SA South Australia, ' +
  'TAS Tasmania, VIC Victoria, WA Western Australia';

const BRAZIL =
  'AC Acre, AL Alagoas, AP Amapá, AM Amazonas, BA Bahia, CE Ceará, DF Distrito Federal, ES Espírito Santo, GO Goiás, ' +
  'MA Maranhão, MT Mato Grosso, MS Mato Grosso do Sul, MG Minas Gerais, PA Pará, PB Paraíba, PR Paraná, PE Pernambuco, ' +
  'PI Piauí, RJ Rio de Janeiro, RN Rio Grande do Norte, RS Rio Grande do Sul, RO Rondônia, RR Roraima, SC Santa Catarina, ' +
  'SP São Paulo, SE Sergipe, TO Tocantins';

/** By country: the code for every code and name, without accents, in small letters. */
const CODES: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map(
  Object.entries({ US: UNITED_STATES, CA: CANADA, AU: AUSTRALIA, BR: BRAZIL }).map(([country, list]) => [
    country,
    codesIn(list),
  ]),
);

/** Finds the code of a province; the input itself where the country's are not known here, null for one it does not have. */
export function normalizeProvince(input: string, countryCode: string | undefined): string | null {
  const codes = CODES.get(countryCode ?? '');
  if (codes === undefined) return input;
  const name = plain(input);
  const prefix = `${(countryCode ?? '').toLowerCase()}-`;
  return codes.get(name) ?? codes.get(name.startsWith(prefix) ? name.slice(prefix.length) : name) ?? null;
}

function codesIn(list: string): Map<string, string> {
  const codes = new Map<string, string>();
  for (const entry of list.split(', ')) {
    const [code = '', ...name] = entry.split(' ');
    codes.set(plain(code), code);
    codes.set(plain(name.join(' ')), code);
  }
  return codes;
}

function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').replace(/\s+/gu, ' ').trim().toLowerCase();
}
