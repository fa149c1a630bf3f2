/** A part of `flow.Flow` that no column holds, and why. */
export interface FieldWithoutColumn {
  /** Field numbers from `flow.Flow` down, as in FieldSpec.numbers; stands for everything below it. */
  readonly numbers: string;
  readonly proto: string;
  readonly reason: string;
}

/**
 * The fields of `flow.Flow` without a row in FLOW_FIELDS. A check proves that every number of the schema is in one of
 * the two lists; nothing here is lost, its bytes go into `extra` (or, where said, are derived from another column).
 */
export const FIELDS_WITHOUT_COLUMN: readonly FieldWithoutColumn[] = [
  {
    numbers: '39',
    proto: 'tunnel',
    reason: 'outer header of an encapsulated packet: never part of an answer, must not count as another edge',
  },
  { numbers: '150000', proto: 'extensions', reason: 'google.protobuf.Any of a type only its sender knows' },
  {
    numbers: '6.5.3',
    proto: 'l4.SCTP.chunk_type',
    reason:
      'newer than Cilium 1.19; no filter and no answer reads it, only the live series of Hubble’s sctp metric',
  },
  {
    numbers: '6.6',
    proto: 'l4.VRRP',
    reason: 'no filter and no answer reads it; l4_protocol says it was VRRP',
  },
  {
    numbers: '6.7',
    proto: 'l4.IGMP',
    reason: 'no filter and no answer reads it; l4_protocol says it was IGMP',
  },
];
