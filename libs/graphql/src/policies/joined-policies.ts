import type { PolicySource } from './policy-source.js';

/** Several sources as one: the states and the problems of all. */
export function joinPolicies(sources: readonly PolicySource[]): PolicySource {
  return {
    state: async () => {
      const states = await Promise.all(sources.map((source) => source.state()));
      return {
        snapshots: states.flatMap(({ snapshots }) => snapshots),
        problems: states.flatMap(({ problems }) => problems),
      };
    },
  };
}
