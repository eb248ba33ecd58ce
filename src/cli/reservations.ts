/** `holdfast reservations`: list them; release one on its owner's behalf, or let a parked one go on. */

import { userInfo } from 'node:os';
import { callerText, lineText, timeText, withLedger } from './ledger-command.js';

const LIST_MAX = 50;

export async function listReservations(options: { readonly json: boolean }): Promise<void> {
  const reservations = await withLedger(({ store }) => store.listReservations(LIST_MAX));
  if (options.json) {
    console.log(JSON.stringify(reservations, null, 2));
    return;
  }
  if (reservations.length === 0) console.log('No reservations yet.');
  for (const reservation of reservations) {
    const { created_at_ms, expires_at_ms, reservation_id, state, lines } = reservation;
    const parked = reservation.parked
      ? ` PARKED (${reservation.last_failure}): a person has to look at the shop`
      : '';
    const until = state === 'active' ? `until ${timeText(expires_at_ms).slice(11)}` : '';
    console.log(
      `${timeText(created_at_ms)}  ${reservation_id}  ${state.padEnd(9)} ${callerText(reservation)}  ${lineText(lines)} ${until}${parked}`,
    );
  }
}

/** False when it can't be released. */
export async function releaseReservation(reservationId: string): Promise<boolean> {
  const result = await withLedger(async ({ ledger, store }) => {
    const principal = await store.read(
      { owned: { reservation_id: reservationId } },
      (state) => state.owned?.reservation.principal,
    );
    return ledger.release({
      principal: principal ?? '',
      reservation_id: reservationId,
      reason: 'released on the command line',
    });
  });
  if (!result.ok) {
    console.error(result.refusal.message);
    return false;
  }
  console.log(`${result.value.status}: ${result.value.released_units} units freed.`);
  return true;
}

/** False when it is not there, or not parked. */
export async function retryReservation(reservationId: string): Promise<boolean> {
  const by = userInfo().username;
  const result = await withLedger(({ ledger }) => ledger.retryParkedReservation(reservationId, by));
  if (!result.ok) {
    const { status } = result.refusal.details;
    console.error(
      status === undefined
        ? 'There is no such reservation. holdfast reservations lists them.'
        : `The reservation is ${String(status)} and not parked: there is nothing to retry.`,
    );
    return false;
  }
  console.log('A running server looks at the shop again, and goes on from what is there.');
  return true;
}
