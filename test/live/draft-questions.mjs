/** What people and routing do to drafts that hold units, and what their orders then show. */

import { complete, edit, goodsNow, HOLD_LONG_S, hold, release, seeTaken } from './drafts.mjs';
import { changesBetween, watch } from './goods.mjs';
import { Refused, wait } from './shop.mjs';

export const DRAFT_QUESTIONS = [
  { id: '8', what: 'Where does a draft take one unit?', ask: (stage) => placesOf(stage, 1) },
  { id: '8b', what: 'Where does a draft take more than any place has?', ask: moreThanAnyPlaceHas },
  { id: '9', what: 'Staff take the reservation off a draft', ask: reservationTakenOff },
  { id: '9b', what: 'Staff raise the quantity of a draft that holds units', ask: quantityRaised },
  { id: '10', what: 'An order that was completed as paid', ask: (stage) => paymentOf(stage, false) },
  {
    id: '10b',
    what: 'An order that was completed with paymentPending',
    ask: (stage) => paymentOf(stage, true),
  },
  { id: '10c', what: 'An order of a draft with payment terms', ask: paymentTerms },
  {
    id: '11',
    what: 'An e-mail address of a domain that can’t be',
    ask: (stage) => refusal(stage, BAD_EMAIL),
  },
  { id: '11b', what: 'A telephone number with letters', ask: (stage) => refusal(stage, BAD_PHONE) },
  { id: '11c', what: 'A province that its country has not', ask: (stage) => refusal(stage, BAD_PROVINCE) },
];

const BAD_EMAIL = { email: 'holdfast@example.invalid' };
const BAD_PHONE = { phone: 'call me' };
const BAD_PROVINCE = {
  shippingAddress: { address1: '1 Main Street', city: 'Springfield', countryCode: 'US', provinceCode: 'QC' },
};

/** Which places lost units, each by its rank of ids and its stock before: what a routing by id, or by stock, would do. */
async function placesOf(stage, units) {
  const before = await goodsNow(stage);
  const draft = await hold(stage, units, HOLD_LONG_S);
  const taken = await seeTaken(stage, before, units);
  await release(stage, draft);
  if (taken === null) return `no answer: available did not fall by ${units}`;
  const byId = before.levels.map(({ location_id }) => location_id).toSorted(compareIds);
  const told = taken.map(({ location_id, units: some }) => {
    const { available } = before.levels.find((level) => level.location_id === location_id);
    return `${some} at place ${byId.indexOf(location_id) + 1} of ${byId.length} by id, which had ${available}`;
  });
  return told.join('; ');
}

async function moreThanAnyPlaceHas(stage) {
  const { levels } = await goodsNow(stage);
  const stocked = levels.map(({ available }) => available).filter((available) => available > 0);
  if (stocked.length < 2) return 'not asked: the goods are stocked at one place only';
  return await placesOf(stage, Math.max(...stocked) + 1);
}

function compareIds(a, b) {
  const [one, other] = [a, b].map((id) => BigInt(id.replace(/^.*\//, '')));
  return one < other ? -1 : 1;
}

async function reservationTakenOff(stage) {
  const before = await goodsNow(stage);
  const draft = await hold(stage, 1, HOLD_LONG_S);
  if ((await seeTaken(stage, before, 1)) === null) return 'no answer: the hold took nothing';
  const { draftOrder, userErrors } = await edit(stage, draft, { reserveInventoryUntil: null });
  const back = await watch(stage.shop, stage.goods.itemId, {
    ...stage.pace,
    done: (now) => changesBetween(before, now).every(({ available = 0 }) => available === 0),
  });
  await release(stage, draft);
  if (userErrors.length > 0) return `refused: ${wordsOf(userErrors)}`;
  const units = back === null ? 'its units stay held' : 'its units are free';
  return `status ${draftOrder.status}, reserveInventoryUntil ${draftOrder.reserveInventoryUntil}, ${units}`;
}

async function quantityRaised(stage) {
  const { goods } = stage;
  const before = await goodsNow(stage);
  const draft = await hold(stage, 1, HOLD_LONG_S);
  if ((await seeTaken(stage, before, 1)) === null) return 'no answer: the hold took nothing';
  const { userErrors } = await edit(stage, draft, {
    lineItems: [{ variantId: goods.variantId, quantity: 2 }],
  });
  const taken = await seeTaken({ ...stage, pace: { ...stage.pace, max_ms: 10_000 } }, before, 2);
  await release(stage, draft);
  if (userErrors.length > 0) return `refused: ${wordsOf(userErrors)}`;
  return taken === null ? 'it holds 1 unit still' : 'it holds 2 units';
}

async function paymentOf(stage, pending) {
  const draft = await hold(stage, 1, HOLD_LONG_S);
  const { draftOrder, userErrors } = await complete(stage, draft, { pending });
  const order = draftOrder?.order ?? null;
  return order === null ? `refused: ${wordsOf(userErrors)}` : paymentStatus(order);
}

const paymentStatus = ({ displayFinancialStatus, fullyPaid }) =>
  `${displayFinancialStatus}, ${fullyPaid ? 'fully paid' : 'not fully paid'}`;

/** Shopify asks for terms in place of `paymentPending`, which it has deprecated. */
async function paymentTerms(stage) {
  const { data, errors } = await stage.shop.ask('{ paymentTermsTemplates { id paymentTermsType } }');
  if (errors !== undefined) return `not asked: ${errors[0].message}`;
  const onReceipt = data.paymentTermsTemplates.find(({ paymentTermsType }) => paymentTermsType === 'RECEIPT');
  if (onReceipt === undefined) return 'not asked: the shop has no terms “on receipt”';
  const draft = await hold(stage, 1, HOLD_LONG_S, { paymentTerms: { paymentTermsTemplateId: onReceipt.id } });
  const { draftOrder, userErrors } = await complete(stage, draft);
  const order = draftOrder?.order ?? null;
  return order === null ? `refused: ${wordsOf(userErrors)}` : paymentStatus(order);
}

/** In which words, and at which field, a detail of the buyer's is refused. */
async function refusal(stage, details) {
  try {
    const draft = await hold(stage, 1, HOLD_LONG_S, details);
    await wait(stage.pace.every_ms, stage.signal);
    await release(stage, draft);
    return 'taken';
  } catch (error) {
    if (!(error instanceof Refused) || error.fields === null) throw error;
    return `refused: ${error.fields}: ${error.message}`;
  }
}

const wordsOf = (userErrors) => userErrors.map(({ message }) => message).join('; ') || 'no order, no error';
