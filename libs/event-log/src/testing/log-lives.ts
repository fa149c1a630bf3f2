import * as fc from 'fast-check';
import type { AppendItem, LogAction, LogLife } from './log-model.js';

const item: fc.Arbitrary<AppendItem> = fc.record({
  partition: fc.nat(1),
  // Some values are long enough to be compressed.
  bytes: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: 5, max: 200 }) },
    { weight: 1, arbitrary: fc.constant(900) },
  ),
});
const calls = fc.array(fc.array(item, { maxLength: 4 }), { minLength: 1, maxLength: 4 });

const action: fc.Arbitrary<LogAction> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), calls }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      partition: fc.nat(1),
      back: fc.nat(30),
      maxBytes: fc.integer({ min: 1, max: 2000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('trim' as const),
      partition: fc.nat(1),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      power: fc.boolean(),
      after: fc.nat(25),
      trim: fc.constantFrom(0, 0, 0.5, 1),
      garbage: fc.constantFrom(0, 0, 1, 60, 500),
      again: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 80 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fullDisk' as const), room: fc.nat(600), calls }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('failedSync' as const), power: fc.boolean(), calls }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'flush' as const }) },
);

/** Random lives of a log: what happens to it, on which kind of durability, with segments of a few records. */
export const logLives: fc.Arbitrary<LogLife> = fc.record({
  durability: fc.constantFrom('disk' as const, 'disk' as const, 'process' as const),
  segmentBytes: fc.constantFrom(200, 500, 1500),
  seed: fc.integer(),
  creation: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 90 })),
  actions: fc.array(action, { minLength: 1, maxLength: 14 }),
});
