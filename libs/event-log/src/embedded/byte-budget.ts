/** Bounds the bytes in flight. Waiters are served in call order; one larger than the limit goes alone. */
export class ByteBudget {
  private used = 0;
  private readonly waiting: { readonly bytes: number; readonly admit: () => void }[] = [];

  constructor(private readonly limit: number) {}

  /** Resolves once `bytes` fit. Whoever was admitted calls `release` with the same number. */
  acquire(bytes: number): Promise<void> {
    if (this.waiting.length === 0 && this.fits(bytes)) {
      this.used += bytes;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.waiting.push({ bytes, admit: resolve });
    });
  }

  release(bytes: number): void {
    this.used -= bytes;
    for (let next = this.waiting[0]; next !== undefined && this.fits(next.bytes); next = this.waiting[0]) {
      this.waiting.shift();
      this.used += next.bytes;
      next.admit();
    }
  }

  private fits(bytes: number): boolean {
    return this.used === 0 || this.used + bytes <= this.limit;
  }
}
