export { FakeRelay, type FakePeer, type FakeRelayOptions } from './fake-relay.js';
export type { OpenedStream } from './flow-stream.js';
export type { RingEvent } from './node-ring.js';
export { makeAuthority, type TestAuthority, type TlsPair } from './certificates.js';
export type { FlowsRequest } from './relay-messages.js';
