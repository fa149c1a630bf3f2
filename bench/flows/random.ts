/** A small deterministic generator (mulberry32): the same flows in every run, on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** Integer in [0, below). */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }
}

/** Ranks 0 … n-1 by Zipf's law: few are met often, most rarely. */
export class Zipf {
  readonly #cumulated: Float64Array;

  constructor(n: number, exponent: number) {
    let sum = 0;
    this.#cumulated = Float64Array.from({ length: n }, (_, rank) => (sum += 1 / (rank + 1) ** exponent));
    for (let rank = 0; rank < n; rank++) this.#cumulated[rank] = (this.#cumulated[rank] ?? 0) / sum;
  }

  pick(random: Random): number {
    const wanted = random.next();
    let [low, high] = [0, this.#cumulated.length - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#cumulated[middle] ?? 1) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
