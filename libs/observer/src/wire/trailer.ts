/** Names in the trailer of GetFlows where inferred names match too: flows that match as sent, and those that match only so. */
export const MATCHED_EXACT = 'flowledger-matched-exact';
export const MATCHED_INFERRED = 'flowledger-matched-inferred';
