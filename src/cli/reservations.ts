/** `holdfast reservations`: list them; release one on its owner's behalf, or let a parked one go on. */

import { userInfo } from 'node:os';
import type { ReservationListing } from '../ledger/state/state.js';
import { callerText, lineText, timeText, withLedger } from './ledger/ledger-command.js';
import { type ListPage, readPage } from './ledger/list-pages.js';
import { printVerdict, type Verdict } from './terminal/verdict-output.js';

export interface ReservationListOptions extends ListPage {
  readonly isActive: boolean;
  readonly isParked: boolean;
  readonly json: boolean;
}

/** False when the reservation to go on from is not there. */
export async function listReservations(options: ReservationListOptions): Promise<boolean> {
  const { isActive, isParked, beforeId: beforeReservationId } = options;
  const page = await withLedger(({ store }) =>
    readPage(
      options,
      ({ reservation_id }: ReservationListing) => reservation_id,
      (limit) => store.listReservations({ limit, beforeReservationId, isActive, isParked }),
    ),
  );
  if (page === null) return printVerdict(RESERVATION_UNKNOWN, options);
  const { rows, nextBeforeId } = page;
  if (options.json) {
    console.log(JSON.stringify(rows, null, 2));
    return true;
  }
  if (rows.length === 0) console.log(noneText(options));
  for (const reservation of rows) console.log(reservationText(reservation));
  if (nextBeforeId !== null) {
    const filters = `${isActive ? ' --active' : ''}${isParked ? ' --parked' : ''}`;
    console.log(`There are more: holdfast reservations${filters} --before ${nextBeforeId}`);
  }
  return true;
}

/** False when it can't be released. */
export async function releaseReservation(
  reservationId: string,
  options: { readonly json: boolean },
): Promise<boolean> {
  const result = await withLedger(async ({ ledger, store }) => {
    const principal = await store.read(
      { owned: { reservation_id: reservationId } },
      (state) => state.owned?.reservation.principal,
    );
    return ledger.release({
      principal: principal ?? '',
      reservation_id: reservationId,
      by: userInfo().username,
    });
  });
  if (!result.ok) {
    const { code, message } = result.refusal;
    return printVerdict({ ok: false, code, message, reservation_id: reservationId }, options);
  }
  const { status, released_units } = result.value;
  const message = `${status}: ${released_units} units freed.`;
  return printVerdict({ ok: true, reservation_id: reservationId, status, released_units, message }, options);
}

/** False when it is not there, or not parked. */
export async function retryReservation(
  reservationId: string,
  options: { readonly json: boolean },
): Promise<boolean> {
  const by = userInfo().username;
  const result = await withLedger(({ ledger }) => ledger.retryParkedReservation(reservationId, by));
  if (!result.ok) {
    const { code, details } = result.refusal;
    const { status } = details;
    if (status === undefined) return printVerdict(RESERVATION_UNKNOWN, options);
    const message = `The reservation is ${String(status)} and not parked: there is nothing to retry.`;
    return printVerdict({ ok: false, code, message, reservation_id: reservationId, status }, options);
  }
  const message = 'A running server looks at the shop again, and goes on from what is there.';
  return printVerdict({ ok: true, reservation_id: reservationId, decided: 'retried', message }, options);
}

const RESERVATION_UNKNOWN: Verdict = {
  ok: false,
  code: 'reservation_unknown',
  message: 'There is no such reservation. holdfast reservations lists them.',
};

function reservationText(reservation: ReservationListing): string {
  const { created_at_ms, expires_at_ms, reservation_id, state, lines } = reservation;
  const parked = reservation.parked
    ? ` PARKED (${reservation.last_failure}): a person has to look at the shop`
    : '';
  const until = state === 'active' ? `until ${timeText(expires_at_ms).slice(11)}` : '';
  return `${timeText(created_at_ms)}  ${reservation_id}  ${state.padEnd(9)} ${callerText(reservation)}  ${lineText(lines)} ${until}${parked}`;
}

function noneText({ isActive, isParked, beforeId }: ReservationListOptions): string {
  if (beforeId !== null) return 'No older ones.';
  const kinds = [...(isActive ? ['active'] : []), ...(isParked ? ['parked'] : [])];
  return kinds.length === 0 ? 'No reservations yet.' : `No reservation is ${kinds.join(' or ')}.`;
}
