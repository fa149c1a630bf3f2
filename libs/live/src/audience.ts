import type { FlowPredicate, FlowRequirement, LabelledFlow } from '@flowledger/query';
import type { FedRecord } from './partition-feed.js';
import type { Reader } from './reader.js';

/** Readers with one predicate. */
interface Group {
  readonly predicate: FlowPredicate;
  readonly readers: Set<Reader>;
}

const NOTHING: readonly LabelledFlow[] = [];

/**
 * The readers of one partition, by what they want: a record costs those it may concern. Readers with one predicate ask it
 * once, and predicates that require a value of some fact are only asked about flows that have it.
 */
export class Audience {
  readonly #groups = new Map<FlowPredicate, Group>();
  /** Groups by the fact that their predicates require something of, and by its values. */
  readonly #byFact = new Map<FlowRequirement['fact'], Map<string | number, Set<Group>>>();
  /** Groups whose predicates require nothing that is known. */
  readonly #anything = new Set<Group>();
  /** Readers who have not caught up: each record may be the one that tells them so. */
  readonly #arriving = new Set<Reader>();

  *[Symbol.iterator](): IterableIterator<Reader> {
    for (const { readers } of this.#groups.values()) yield* readers;
  }

  add(reader: Reader): void {
    const { matches: predicate } = reader.request;
    let group = this.#groups.get(predicate);
    if (group === undefined) {
      group = { predicate, readers: new Set() };
      this.#groups.set(predicate, group);
      for (const groups of this.#places(predicate)) groups.add(group);
    }
    group.readers.add(reader);
    if (!reader.caughtUp) this.#arriving.add(reader);
  }

  delete(reader: Reader): void {
    this.#arriving.delete(reader);
    const group = this.#groups.get(reader.request.matches);
    if (group?.readers.delete(reader) !== true || group.readers.size > 0) return;
    this.#groups.delete(group.predicate);
    for (const groups of this.#places(group.predicate)) groups.delete(group);
    const { requires } = group.predicate;
    if (requires === undefined) return;
    const values = this.#byFact.get(requires.fact);
    for (const value of requires.values) if (values?.get(value)?.size === 0) values.delete(value);
    if (values?.size === 0) this.#byFact.delete(requires.fact);
  }

  clear(): void {
    this.#groups.clear();
    this.#byFact.clear();
    this.#anything.clear();
    this.#arriving.clear();
  }

  /** Offers a record to all whom it concerns: who gets a flow of it, is told of a loss, or is about to catch up. */
  hear(record: FedRecord): void {
    const toAll = record.losses.length > 0 || record.removed > 0;
    const found = new Map<Group, readonly LabelledFlow[]>();
    for (const group of this.#concerned(record)) {
      const flows = record.flows.filter(group.predicate);
      if (flows.length > 0) found.set(group, flows);
    }
    for (const [group, flows] of toAll ? [] : found)
      for (const reader of group.readers) reader.offer(record, flows);
    const rest = toAll ? this : this.#arriving;
    for (const reader of rest) {
      const group = this.#groups.get(reader.request.matches);
      // Who was offered the record above already wants a later one, and takes no notice.
      reader.offer(record, (group === undefined ? undefined : found.get(group)) ?? NOTHING);
      if (reader.caughtUp) this.#arriving.delete(reader);
    }
  }

  /** Groups that may want a flow of the record. */
  #concerned({ flows }: FedRecord): ReadonlySet<Group> {
    const groups = new Set(flows.length === 0 ? [] : this.#anything);
    for (const [fact, values] of this.#byFact)
      for (const flow of flows) for (const group of values.get(fact(flow)) ?? []) groups.add(group);
    return groups;
  }

  /** The sets that a group with this predicate is in. */
  #places({ requires }: FlowPredicate): readonly Set<Group>[] {
    if (requires === undefined) return [this.#anything];
    const values = this.#byFact.get(requires.fact) ?? new Map<string | number, Set<Group>>();
    this.#byFact.set(requires.fact, values);
    return [...requires.values].map((value) => {
      const groups = values.get(value) ?? new Set<Group>();
      values.set(value, groups);
      return groups;
    });
  }
}
