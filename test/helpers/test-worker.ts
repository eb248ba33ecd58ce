/**
 * A worker of the outbox, in a test's hands: it claims a row, asks what is to be done, and tells what came of it. Nothing is
 * sent anywhere: the shop's answers are the test's.
 */

import type { Step } from '../../src/ledger/model/outbox-row.js';
import {
  decideClaim,
  decideNextStep,
  decideOpen,
  type OwnKnowledge,
} from '../../src/ledger/outbox/next-step.js';
import { SOLD_ELSEWHERE } from '../../src/ledger/outbox/sale-check.js';
import { decideTaken } from '../../src/ledger/outbox/transfer-steps.js';
import type { ReserveAnswer } from '../../src/ledger/reservation/reserve.js';
import type { Claim, Work } from '../../src/ledger/state/job.js';
import type { Decision, LedgerSettings, LedgerState, Owned } from '../../src/ledger/state/state.js';
import { HOUR, MINUTE, SECOND, TestLedger } from './ledger.js';

export type Mine = Pick<ReserveAnswer, 'reservation_id'>;

/** What the shop calls the hold that it made for us. */
export const HOLD_REF = 'draft-1';
/** Why a hold is given up whose units somebody else has bought. */
export const SOLD = { ...SOLD_ELSEWHERE, sku: 'tee' } as const;

export class TestWorker {
  readonly claim: Claim;
  readonly #ledger: TestLedger;

  constructor(ledger: TestLedger, claim: Partial<Claim> = {}) {
    this.#ledger = ledger;
    this.claim = {
      worker: 'a',
      claim_ms: MINUTE,
      check_ms: 5 * MINUTE,
      resend_max_ms: 20 * HOUR,
      ...claim,
    };
  }

  decide<R>({ reservation_id }: Mine, by: (state: LedgerState) => Decision<R>): Promise<R> {
    return this.#ledger.decide(reservation_id, by);
  }

  owned({ reservation_id }: Mine): Promise<Owned> {
    return this.#ledger.owned(reservation_id);
  }

  claims(mine: Mine): Promise<boolean> {
    return this.decide(mine, (state) => decideClaim(state, this.claim));
  }

  /** A read of the items that the test has reported at this moment counts as this worker's own. */
  next(
    mine: Mine,
    is_visit = false,
    readSince: number | null = this.#ledger.clock.now(),
    known?: OwnKnowledge,
  ): Promise<Work | null> {
    const { settings } = this.#ledger;
    return this.decide(mine, (state) =>
      decideNextStep(state, this.claim, settings, is_visit, readSince, known),
    );
  }

  /** The step that follows on the one before; null when the row is put to rest. */
  async step(mine: Mine): Promise<Step | null> {
    return (await this.next(mine))?.step ?? null;
  }

  /** The first step since the row became due. */
  async visit(mine: Mine): Promise<Step | null> {
    if (!(await this.claims(mine))) throw new Error('there is nothing to claim');
    return (await this.next(mine, true))?.step ?? null;
  }

  /** The shop has the hold, and no report shows it yet: a draft order until then, or a move. */
  async opened(mine: Mine, until_ms: number | null = this.#ledger.clock.now() + HOUR): Promise<void> {
    const step = await this.visit(mine);
    if (step === 'take') await this.decide(mine, decideTaken);
    else await this.decide(mine, (state) => decideOpen(state, { hold_ref: HOLD_REF, until_ms }));
  }

  /** What the journal says of a reservation, oldest first: all of it, or its newest entries. */
  async journal(
    mine: Mine,
    newest = Number.POSITIVE_INFINITY,
  ): Promise<(Record<string, unknown> & { readonly kind: string })[]> {
    const { reservation } = await this.owned(mine);
    const entries = await this.#ledger.store.timeline(reservation.reservation_key, 100);
    return entries.slice(-newest).map(({ kind, data }) => ({ kind, ...JSON.parse(data) }));
  }
}

/** A ledger that has tees to sell, and a worker of it. */
export async function openTees(
  settings: Partial<LedgerSettings> = {},
): Promise<{ readonly t: TestLedger; readonly worker: TestWorker }> {
  const t = await TestLedger.open({ settings });
  await t.seed({ sku: 'tee' });
  return { t, worker: new TestWorker(t) };
}

/** A report of an item that is read after all that was done so far. */
export async function seen(
  ledger: TestLedger,
  sku: string,
  levels: Readonly<Record<string, number>>,
): Promise<void> {
  ledger.time.pass(SECOND);
  await ledger.seed({ sku, levels });
}
