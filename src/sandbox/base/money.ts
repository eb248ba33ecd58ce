/** Money in integer cents inside, in decimal text outside. One currency: the shop's. */

const AMOUNT = /^(?<whole>\d{1,9})(?:\.(?<cents>\d{1,2}))?$/u;

/** `"59.00"` → 5900. Throws on anything else: prices come from a catalogue that a developer wrote. */
export function parseCents(amount: string): number {
  const parts = AMOUNT.exec(amount)?.groups;
  if (!parts) throw new Error(`not an amount of money: ${amount}`);
  return Number(parts['whole']) * 100 + Number((parts['cents'] ?? '').padEnd(2, '0'));
}

export function formatCents(cents: number): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
}
