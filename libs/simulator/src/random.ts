/** Mixes four 32-bit integers into one, well spread. Pure; the source of every identity in the simulated cluster. */
export function hash32(a: number, b: number, c = 0, d = 0): number {
  let h = 0x9e3779b9 ^ a;
  h = mix(h) ^ b;
  h = mix(h + 0x7f4a7c15) ^ c;
  h = mix(h + 0x165667b1) ^ d;
  return mix(h) >>> 0;
}

function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Hash of a text, for names that seed other numbers. */
export function hashText(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h) >>> 0;
}

/** A deterministic stream of numbers (small fast counter generator, 128 bits of state). Same seeds, same stream. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  constructor(seed: number, slot: number, stream: number) {
    this.a = hash32(seed, slot, stream, 1) | 0;
    this.b = hash32(seed, slot, stream, 2) | 0;
    this.c = hash32(seed, slot, stream, 3) | 0;
    for (let i = 0; i < 4; i++) this.next();
  }

  /** Next 32-bit unsigned integer. */
  next(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    this.c |= 0;
    return sum >>> 0;
  }

  /** In [0, 1). */
  unit(): number {
    return this.next() / 4_294_967_296;
  }

  /** Whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.unit() * bound);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** Element of a list that is not empty. Throws RangeError on an empty one. */
  pick<T>(list: readonly T[]): T {
    const value = list[this.below(list.length)];
    if (value === undefined) throw new RangeError('pick from an empty list');
    return value;
  }

  /** Log-normal sample with the given median and shape. */
  logNormal(median: number, sigma: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.unit()));
    return median * Math.exp(sigma * radius * Math.cos(2 * Math.PI * this.unit()));
  }

  /** Poisson sample; by inversion in steps of at most 30, so that large means do not underflow. */
  poisson(mean: number): number {
    let count = 0;
    for (let rest = mean; rest > 0; rest -= 30) count += this.smallPoisson(Math.min(rest, 30));
    return count;
  }

  private smallPoisson(mean: number): number {
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.unit(); product > limit; product *= this.unit()) count++;
    return count;
  }
}
