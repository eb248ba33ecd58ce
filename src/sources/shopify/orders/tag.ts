/** On every hold and order of ours, so that a merchant, and `ordersChangedSince`, can find them all. */
export const COMMON_TAG = 'holdfast';
