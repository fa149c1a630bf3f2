import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '@flowledger/platform';
import { isObject, type JsonObject, type PolicyObjects } from '@flowledger/policy';
import type { SourceProblem } from './policy-source.js';

/** `<ns since 1970>.json`, with as many digits always, so that names are in the order of time. */
const NAME = /^(\d{20})\.json$/;

/** Keeps states of policies in a folder of their own, one file each, so that they outlive the process. */
export class StateFiles {
  constructor(private readonly directory: string) {}

  /** All states, oldest first, and what could not be read. Makes the folder. */
  async read(): Promise<{
    readonly states: readonly PolicyObjects[];
    readonly problems: readonly SourceProblem[];
  }> {
    await mkdir(this.directory, { recursive: true });
    const states: PolicyObjects[] = [];
    const problems: SourceProblem[] = [];
    for (const { name, time } of await this.#files()) {
      try {
        states.push({
          validFromNs: time,
          objects: objectsOf(await readFile(join(this.directory, name), 'utf8')),
        });
      } catch (error) {
        problems.push({ origin: name, reason: describeError(error) });
      }
    }
    return { states, problems };
  }

  /** Writes a state; a crash leaves the file whole or not at all. */
  async write({ validFromNs, objects }: PolicyObjects): Promise<void> {
    const path = join(this.directory, `${String(validFromNs).padStart(20, '0')}.json`);
    await writeFile(`${path}.tmp`, JSON.stringify(objects));
    await rename(`${path}.tmp`, path);
  }

  /** Removes the files of states before a time. */
  async removeBefore(timeNs: bigint): Promise<void> {
    for (const { name, time } of await this.#files())
      if (time < timeNs) await rm(join(this.directory, name), { force: true });
  }

  async #files(): Promise<readonly { readonly name: string; readonly time: bigint }[]> {
    const names = (await readdir(this.directory)).toSorted();
    return names.flatMap((name) => {
      const [, time] = NAME.exec(name) ?? [];
      return time === undefined ? [] : [{ name, time: BigInt(time) }];
    });
  }
}

function objectsOf(text: string): readonly JsonObject[] {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) throw new TypeError('no list of objects');
  return (value as unknown[]).filter(isObjectValue);
}

function isObjectValue(value: unknown): value is JsonObject {
  return isObject(value as JsonObject);
}
