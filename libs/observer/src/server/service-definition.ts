import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';

type Method = MethodDefinition<Uint8Array, Uint8Array>;

/** Bytes in, bytes out: messages are read and written by the model's wire code. */
function method(path: string, responseStream: boolean): Method {
  return {
    path,
    requestStream: false,
    responseStream,
    requestSerialize: (value) => Buffer.from(value),
    requestDeserialize: (bytes) => bytes,
    responseSerialize: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength),
    responseDeserialize: (bytes) => bytes,
  };
}

/** `service observer.Observer` (hubble note 2.1). */
export const OBSERVER_SERVICE = {
  GetFlows: method('/observer.Observer/GetFlows', true),
  GetAgentEvents: method('/observer.Observer/GetAgentEvents', true),
  GetDebugEvents: method('/observer.Observer/GetDebugEvents', true),
  GetNodes: method('/observer.Observer/GetNodes', false),
  GetNamespaces: method('/observer.Observer/GetNamespaces', false),
  ServerStatus: method('/observer.Observer/ServerStatus', false),
} satisfies ServiceDefinition;

/** `service peer.Peer`. */
export const PEER_SERVICE = { Notify: method('/peer.Peer/Notify', true) } satisfies ServiceDefinition;
