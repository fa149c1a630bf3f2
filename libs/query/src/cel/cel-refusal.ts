/**
 * Why an expression cannot be used. Thrown and caught inside this folder only: `celTest` turns it into a refusal of the
 * filter.
 */
export class CelRefusal extends Error {}

/** Ends compiling with a sentence for the client. */
export function refuseCel(sentence: string): never {
  throw new CelRefusal(sentence);
}
