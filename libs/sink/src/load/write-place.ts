import type { Room } from './room.js';

/** Who made the batch, and may make the next one once this one has its place. */
interface Maker {
  endTurn(): void;
}

/**
 * The place of one large batch on its way into the store: only one partition's rows are written at a time, which is all
 * that two cores can do beside making the next batch. Left once, however often that is said.
 */
export class WritePlace {
  #leave: (() => void) | undefined;
  #entered = false;

  constructor(
    private readonly room: Room,
    private readonly maker: Maker,
    private readonly signal: AbortSignal,
  ) {}

  /** True when nobody's batch is being written. */
  get free(): boolean {
    return this.room.free > 0;
  }

  /** Resolves when it is this batch's turn to be written; at once when it has its place already. Never rejects. */
  async enter(): Promise<void> {
    if (this.#entered) return;
    this.#entered = true;
    // It rejects when the lease ends: then there is no crowd, and what is under way fails by itself.
    this.#leave = await this.room.take(this.signal).catch(() => undefined);
    this.maker.endTurn();
  }

  leave(): void {
    this.#leave?.();
    this.#leave = undefined;
  }
}
