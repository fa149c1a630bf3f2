import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';

type Method = MethodDefinition<Uint8Array, Uint8Array>;

/** Bytes in, bytes out: messages are read and written by the model's wire code. */
function method(name: string, responseStream: boolean): Method {
  return {
    path: `/observer.Observer/${name}`,
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
  GetFlows: method('GetFlows', true),
  GetAgentEvents: method('GetAgentEvents', true),
  GetDebugEvents: method('GetDebugEvents', true),
  GetNodes: method('GetNodes', false),
  GetNamespaces: method('GetNamespaces', false),
  ServerStatus: method('ServerStatus', false),
} satisfies ServiceDefinition;
