export * from './columns.js';
export type * from './dedup/accepted-keys.js';
export { DuplicateRule, type RuledRecord } from './dedup/duplicate-rule.js';
export type { SecondRange } from './dedup/import-times.js';
export * from './envelope.js';
export { fieldReference } from './field-reference.js';
export * from './fields.js';
export * from './fields-without-column.js';
export * from './filter-fields.js';
export { FlowLook } from './flow-look.js';
export { hash64, Hash64 } from './hash64.js';
export * from './hubble/enums.js';
export { JsonTranscoder, type LineRefusal } from './hubble/json-transcoder.js';
export * from './hubble/long-enums.js';
export { summaryOf, type SummaryParts } from './hubble/summary.js';
export { toProtoJson } from './hubble/to-proto-json.js';
export { clientSide, serverPort, type CallEvidence, type ClientSide } from './normalise/client-side.js';
export { labelSetHash } from './normalise/label-set.js';
export {
  bucketRepresentative,
  bucketUpperNs,
  latencyBucket,
  latencyBucketOf,
} from './normalise/latency-bucket.js';
export { pathTemplate } from './normalise/path-template.js';
export { canonicalWorkload, type CanonicalWorkload, type EndpointIdentity } from './normalise/workload.js';
export * from './outcome.js';
export * from './projected-batches.js';
export { Projection } from './projection.js';
export { parseRfc3339 } from './rfc3339.js';
export { ResponseHead, type ResponseKind } from './response-head.js';
export { scanEvents, type ScannedEvent } from './scan-events.js';
export * from './shallow.js';
export { WireFields } from './wire/wire-fields.js';
export { WireReader } from './wire/wire-reader.js';
export { WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from './wire/wire-types.js';
export { WireWriter } from './wire/wire-writer.js';
export { schemaMessage, type SchemaField, type SchemaMessage } from './hubble/schema.js';
