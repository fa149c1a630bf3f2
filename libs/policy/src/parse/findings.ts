import type { JsonObject } from '../json.js';
import type { Problem } from '../policy.js';

/** Problems of one policy object while it is read. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly #policy: string;

  constructor(policy: string) {
    this.#policy = policy;
  }

  /** Notes a problem at a place of the object; returns the text that keeps a rule from being certain. */
  say(path: string, reason: string): string {
    this.problems.push({ policy: this.#policy, path, reason });
    return `${this.#policy} ${path}: ${reason}`;
  }

  /** Doubts about a mapping whose members are not all understood. */
  unknownKeys(value: JsonObject, known: ReadonlySet<string>, path: string): string[] {
    return Object.keys(value)
      .filter((key) => !known.has(key))
      .map((key) => this.say(`${path}.${key}`, 'not understood by this version'));
  }
}
