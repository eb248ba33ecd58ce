/** Telephone numbers, judged by Google's libphonenumber. It is loaded with the first number: that takes 50 ms. */

/**
 * Writes a number with its country code, as `+493012345678`, or as ` ext. 12` behind it where it has an extension. Null for
 * what can't be a number. Whether it has been given to somebody is not asked: new ranges come faster than releases.
 */
export async function normalizePhone(input: string, countryCode: string | undefined): Promise<string | null> {
  const { parsePhoneNumber } = await import('awesome-phonenumber');
  const parsed = parsePhoneNumber(input, countryCode === undefined ? {} : { regionCode: countryCode });
  if (!parsed.possible || parsed.number === undefined) return null;
  const { e164, international } = parsed.number;
  return international.includes(' ext. ') ? international : e164;
}
