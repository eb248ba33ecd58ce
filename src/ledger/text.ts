/** Text from outside, made safe to show: capped and free of what could hide or reorder words. */

/** Control, zero-width, bidi-control and other invisible characters, and lone surrogates. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

export const TITLE_MAX_CHARS = 200;
export const SKU_MAX_CHARS = 255;

/** For showing: invisible characters become nothing, runs of white space one blank, the rest is cut. */
export function cleanText(input: string, maxChars: number): string {
  const visible = input.replace(/\s+/gu, ' ').replace(INVISIBLE, '').replace(/ +/gu, ' ').trim();
  return [...visible].slice(0, maxChars).join('');
}

/** True for a SKU that an agent can name: 1..SKU_MAX_CHARS characters, all visible, not padded by blanks. */
export function isNameableSku(input: string): boolean {
  return input.length > 0 && input.length <= SKU_MAX_CHARS && cleanText(input, SKU_MAX_CHARS) === input;
}
