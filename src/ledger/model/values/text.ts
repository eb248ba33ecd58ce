/** Text from outside, made safe to show: capped and free of what could hide or reorder words. */

/**
 * Control, zero-width, bidi-control and other invisible characters, tags and variation selectors (in which whole sentences
 * can be hidden from people and not from models), and lone surrogates.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
const INVISIBLE_IN_LINE =
  /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

export const TITLE_MAX_CHARS = 200;
export const SKU_MAX_CHARS = 255;
export const LOCATION_NAME_MAX_CHARS = 100;
export const ORDER_NAME_MAX_CHARS = 100;

/** For showing: invisible characters become nothing, runs of white space one blank, the rest is cut. */
export function cleanText(input: string, maxChars: number): string {
  const visible = input.replace(/\s/gu, ' ').replace(INVISIBLE, '').replace(/ +/gu, ' ').trim();
  return [...visible].slice(0, maxChars).join('');
}

/** For passing on as it was meant: what nobody can see goes, line breaks, tabs and blanks stay. */
export function visibleText(input: string): string {
  return input.replace(INVISIBLE_IN_LINE, '');
}

/** Equal for SKUs that differ in the case of their letters or in blanks around them alone. */
export function skuKey(sku: string): string {
  return sku.trim().toLowerCase();
}

/** True for a SKU that an agent can name: 1..SKU_MAX_CHARS characters, all visible, not padded by blanks. */
export function isNameableSku(input: string): boolean {
  return input.length > 0 && input.length <= SKU_MAX_CHARS && cleanText(input, SKU_MAX_CHARS) === input;
}
