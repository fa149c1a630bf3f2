import type { FlowRequirement } from '../live/live-flows.js';

/** Something that may say what it requires of a flow. */
interface Requiring {
  readonly requires?: FlowRequirement | undefined;
}

/** What tests that must all hold require: of what they require each, that with the fewest values. */
export function narrowest(tests: readonly Requiring[]): FlowRequirement | undefined {
  return tests
    .flatMap(({ requires }) => (requires === undefined ? [] : [requires]))
    .toSorted((a, b) => a.values.size - b.values.size)[0];
}

/** What tests of which one must hold require; nothing unless all require something of one fact. */
export function united(tests: readonly Requiring[]): FlowRequirement | undefined {
  const values = new Set<string | number>();
  const [first] = tests;
  const fact = first?.requires?.fact;
  if (fact === undefined) return undefined;
  for (const { requires } of tests) {
    if (requires?.fact !== fact) return undefined;
    for (const value of requires.values) values.add(value);
  }
  return { fact, values };
}

/** The member for an object that may require something. */
export function requiring(requires: FlowRequirement | undefined): Requiring {
  return requires === undefined ? {} : { requires };
}
