import { status, type handleUnaryCall, type ServiceDefinition } from '@grpc/grpc-js';

const identity = (bytes: Buffer): Buffer => bytes;

/** grpc-js wants a Buffer; what the simulator made is a Uint8Array. */
const toBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

function method(path: string, responseStream: boolean): ServiceDefinition[string] {
  return {
    path,
    requestStream: false,
    responseStream,
    requestDeserialize: identity,
    requestSerialize: identity,
    responseDeserialize: identity,
    responseSerialize: toBuffer,
  };
}

/** The methods of `observer.Observer` and `peer.Peer` that a flow source calls, with bytes in and bytes out. */
export const rawService: ServiceDefinition = {
  GetFlows: method('/observer.Observer/GetFlows', true),
  ServerStatus: method('/observer.Observer/ServerStatus', false),
  GetNodes: method('/observer.Observer/GetNodes', false),
  Notify: method('/peer.Peer/Notify', true),
};

/** Answers a call without looking at the request; what throws is a method that this server has not. */
export function unary(answer: () => Uint8Array): handleUnaryCall<Buffer, Uint8Array> {
  return (_call, callback) => {
    try {
      callback(null, answer());
    } catch (error) {
      callback({ code: status.UNIMPLEMENTED, details: error instanceof Error ? error.message : '' });
    }
  };
}
