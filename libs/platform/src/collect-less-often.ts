import { setFlagsFromString } from 'node:v8';

/** The old generation and the memory outside the heap may grow to three times what was alive. */
const GROWTH_PERCENT = 200;

/**
 * For a process that passes bytes through: to be called once, at its start. V8 lets a heap that hardly grows have 24 MiB
 * more than was alive before it marks all of it again, and counts buffers; a process through which 40 MiB/s of buffers
 * pass marks its heap several times a second for nothing. Measured (docs/86): ingestor 16.6 to 11.7 µs a flow, loader 15.2
 * to 11.7. A version of V8 without the setting says so on standard error and goes on.
 */
export function collectLessOften(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
