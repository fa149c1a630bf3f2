import { loadSync } from '@grpc/proto-loader';
import { PROTO } from './protobuf-file.js';

/** A flow as proto-loader's objects have it; only what the JSON rows need is named. */
export interface LoadedResponse {
  readonly flow: LoadedFlow;
  readonly node_name: string;
}

export interface LoadedEndpoint {
  readonly ID: number;
  readonly identity: number;
  readonly namespace: string;
  readonly labels: readonly string[];
  readonly pod_name: string;
  readonly workloads: readonly { readonly name: string; readonly kind: string }[];
  readonly cluster_name: string;
}

interface LoadedPorts {
  readonly source_port: number;
  readonly destination_port: number;
  readonly flags?: Readonly<Record<string, boolean>> | null;
}

export interface LoadedFlow {
  readonly time: { readonly seconds: string; readonly nanos: number };
  readonly uuid: string;
  readonly emitter: { readonly name: string; readonly version: string } | null;
  readonly verdict: number;
  readonly drop_reason_desc: number;
  readonly Type: number;
  readonly node_name: string;
  readonly event_type: { readonly type: number; readonly sub_type: number } | null;
  readonly is_reply: { readonly value: boolean } | null;
  readonly traffic_direction: number;
  readonly trace_observation_point: number;
  readonly trace_reason: number;
  readonly interface: { readonly index: number; readonly name: string } | null;
  readonly ethernet: { readonly source: string; readonly destination: string } | null;
  readonly IP: { readonly source: string; readonly destination: string; readonly ipVersion: number } | null;
  readonly l4: { readonly TCP?: LoadedPorts; readonly UDP?: LoadedPorts } | null;
  readonly source: LoadedEndpoint;
  readonly destination: LoadedEndpoint;
  readonly node_labels: readonly string[];
  readonly l7: {
    readonly type: number;
    readonly latency_ns: string;
    readonly http?: {
      readonly code: number;
      readonly method: string;
      readonly url: string;
      readonly protocol: string;
    };
    readonly dns?: {
      readonly query: string;
      readonly ips: readonly string[];
      readonly ttl: number;
      readonly observation_source: string;
      readonly rcode: number;
      readonly qtypes: readonly string[];
    };
  } | null;
}

/**
 * The options that gRPC's own guide gives. With `numbers`, enums stay numbers instead of names: faster, and what a pipeline
 * that writes number columns would choose.
 */
const OPTIONS = { keepCase: true, longs: String, defaults: true, oneofs: true, includeDirs: [PROTO] };

/** The deserializer that a grpc-js client made by `@grpc/proto-loader` would use for `GetFlows`. */
export function protoLoaderDeserializer(enums: 'names' | 'numbers'): (bytes: Buffer) => LoadedResponse {
  const options = enums === 'names' ? { ...OPTIONS, enums: String } : OPTIONS;
  const definition = loadSync('hubble/observer.proto', options)['observer.GetFlowsResponse'];
  if (
    definition === undefined ||
    !('deserialize' in definition) ||
    typeof definition.deserialize !== 'function'
  )
    throw new Error('proto-loader gave no deserializer for observer.GetFlowsResponse');
  return definition.deserialize as (bytes: Buffer) => LoadedResponse;
}
