/** A reservation's lines as the database keeps them. Every byte of a row is written twice: fields have no names. */

import type { Allocation, ReservationLine } from '../../../ledger/model/reservation.js';

/** [sku, requested, reserved, location, units, location, units …, its checksum unless it is the reservation's]. */
type PackedLine = (string | number)[];

export function packLines(lines: readonly ReservationLine[], stockHash: string): string {
  return JSON.stringify(
    lines.map((line): PackedLine => {
      const packed: PackedLine = [line.sku, line.requested, line.reserved];
      for (const { location_id, quantity } of line.allocations) packed.push(location_id, quantity);
      if (line.stock_hash !== stockHash) packed.push(line.stock_hash);
      return packed;
    }),
  );
}

export function unpackLines(text: string, stockHash: string): ReservationLine[] {
  return (JSON.parse(text) as PackedLine[]).map((packed) => {
    const [sku, requested, reserved, ...rest] = packed;
    const own = rest.length % 2 === 1 ? rest.pop() : stockHash;
    const allocations: Allocation[] = [];
    for (let at = 0; at < rest.length; at += 2) {
      allocations.push({ location_id: String(rest[at]), quantity: Number(rest[at + 1]) });
    }
    return {
      sku: String(sku),
      requested: Number(requested),
      reserved: Number(reserved),
      allocations,
      stock_hash: String(own),
    };
  });
}
