export { toJsonLine } from './json/json-line.js';
export type { SimulatedEvent } from './simulated-event.js';
export type { SimulationOptions } from './options.js';
export type { FaultOptions } from './faults/options.js';
export { Simulation } from './simulation.js';
export type { ClusterDescription, IncidentDescription } from './describe.js';
export type { FlowTotals, Totals, Truth } from './truth/truth.js';
export type {
  CallRecord,
  ConnectionPoint,
  CountedKind,
  ObservationLine,
  TruthParty,
} from './truth/call-record.js';
export type { TruthEdge, Window } from './truth/reporters.js';
export { expectedRed, type ExpectedRed, type WeightedLatency } from './truth/expected-red.js';
export {
  expectedAudited,
  expectedConnections,
  expectedDrops,
  type ExpectedConnections,
  type ExpectedDrops,
} from './truth/expected-drops.js';
