const FIRST_SLOTS = 1024;

/** A growing set of 64-bit keys in two halves, without an object per key. Key 0 is never held. */
export class KeySet {
  #lo = new Uint32Array(FIRST_SLOTS);
  #hi = new Uint32Array(FIRST_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(lo: number, hi: number): boolean {
    const at = this.#find(lo, hi);
    return this.#lo[at] === lo && this.#hi[at] === hi && (lo | hi) !== 0;
  }

  add(lo: number, hi: number): void {
    if ((lo | hi) === 0) return;
    if (this.#size * 2 >= this.#lo.length) this.#grow();
    const at = this.#find(lo, hi);
    if (((this.#lo[at] ?? 0) | (this.#hi[at] ?? 0)) === 0) this.#size++;
    this.#lo[at] = lo;
    this.#hi[at] = hi;
  }

  /** Adds every key of `other`. */
  addAll(other: KeySet): void {
    for (let i = 0; i < other.#lo.length; i++) this.add(other.#lo[i] ?? 0, other.#hi[i] ?? 0);
  }

  /** The slot of the key, or the free one where it belongs. */
  #find(lo: number, hi: number): number {
    const mask = this.#lo.length - 1;
    let at = mix(lo, hi, 0) & mask;
    for (;;) {
      const [slotLo, slotHi] = [this.#lo[at] ?? 0, this.#hi[at] ?? 0];
      if ((slotLo | slotHi) === 0 || (slotLo === lo && slotHi === hi)) return at;
      at = (at + 1) & mask;
    }
  }

  #grow(): void {
    const [oldLo, oldHi] = [this.#lo, this.#hi];
    this.#lo = new Uint32Array(oldLo.length * 2);
    this.#hi = new Uint32Array(oldLo.length * 2);
    for (let i = 0; i < oldLo.length; i++) {
      const [lo, hi] = [oldLo[i] ?? 0, oldHi[i] ?? 0];
      if ((lo | hi) === 0) continue;
      const at = this.#find(lo, hi);
      this.#lo[at] = lo;
      this.#hi[at] = hi;
    }
  }
}

/** Spreads a key and a stream number over 32 bits (murmur3's finaliser). */
export function mix(lo: number, hi: number, stream: number): number {
  let h = lo ^ Math.imul(hi, 0x85ebca6b) ^ Math.imul(stream + 1, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
