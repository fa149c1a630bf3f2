import type { LogPosition } from '@flowledger/event-log';
import type { OffsetRange } from './import.js';

/** Collects where records were appended and tells it as contiguous ranges. */
export class OffsetRanges {
  readonly #positions: LogPosition[] = [];

  add(positions: readonly LogPosition[]): void {
    this.#positions.push(...positions);
  }

  /** Ascending by partition and offset. */
  list(): OffsetRange[] {
    const sorted = this.#positions.toSorted(
      (a, b) => a.partition - b.partition || (a.offset < b.offset ? -1 : 1),
    );
    const ranges: { partition: number; from: bigint; to: bigint }[] = [];
    for (const { partition, offset } of sorted) {
      const last = ranges.at(-1);
      if (last?.partition === partition && last.to + 1n === offset) last.to = offset;
      else ranges.push({ partition, from: offset, to: offset });
    }
    return ranges;
  }
}
