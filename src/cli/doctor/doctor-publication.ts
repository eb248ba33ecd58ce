/** Says which sales channel items have to be published on for agents to sell them, and whether the shop lets us see it. */

import type { FoundPublication } from '../../sources/shopify/stock/publication.js';
import { type Finding, failed, fine } from './finding.js';

const WHY =
  'Until then items are sold that the shop may not publish anywhere: launches to come, or goods for the till alone.';

/** `choice`: of HOLDFAST_PUBLICATION. */
export function publicationFinding(choice: string, found: FoundPublication): Finding {
  if (found.found) {
    const title = found.title === '' ? `publication ${choice}` : `“${found.title}”`;
    return fine('publication', `Agents sell what is published on ${title}.`);
  }
  if (found.why === 'any')
    return fine('publication', 'Agents sell every active item, published or not (HOLDFAST_PUBLICATION=any).');
  if (found.why === 'scope_missing') {
    return failed(
      'publication',
      'scope_missing',
      'The app lacks the scope read_publications, so nobody can tell which items are published where agents sell.',
      WHY,
      'Add read_publications to the app as above. Or, where publication shall not count, set HOLDFAST_PUBLICATION=any.',
    );
  }
  const what =
    choice === 'online_store' ? 'no online store among its sales channels' : `no publication ${choice}`;
  return failed(
    'publication',
    'publication_unknown',
    `The shop has ${what}, so nobody can tell which items are published where agents sell.`,
    WHY,
    'Set HOLDFAST_PUBLICATION to the id of the publication that agents sell on, or to any where publication shall not count.',
  );
}
