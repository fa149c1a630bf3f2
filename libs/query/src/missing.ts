/** Why a number is null or cannot be had. */
export type MissingReason =
  | 'NOT_MEASURED_BY_SOURCE'
  | 'NO_L7_VISIBILITY'
  | 'NO_DATA_IN_BUCKET'
  | 'SUPPRESSED_LOW_COUNT'
  | 'PROTOCOL_HAS_NONE'
  | 'OVERFLOW';

/** One doubt about an answer: a path into it, a reason, and what can be done. */
export interface Missing {
  readonly path: string;
  readonly reason: MissingReason;
  readonly hint: string;
}
