/** A progress line on standard error; silent where that is no terminal, so that logs stay readable. */
export interface Progress {
  add(bytes: number): void;
  end(): void;
}

const WIDTH = 30;
const EVERY_MS = 100;

/** Shows `label`, a bar and MiB read; without `totalBytes` (standard input) only the MiB. */
export function openProgress(
  label: string,
  totalBytes: number | undefined,
  out: NodeJS.WriteStream = process.stderr,
): Progress {
  if (!out.isTTY) return { add: () => {}, end: () => {} };
  let [done, shownAt] = [0, 0];
  const show = (): void => {
    const mib = (done / 2 ** 20).toFixed(1);
    const share = totalBytes === undefined || totalBytes === 0 ? undefined : Math.min(1, done / totalBytes);
    const filled = Math.round((share ?? 0) * WIDTH);
    const bar =
      share === undefined
        ? ''
        : `[${'█'.repeat(filled)}${'·'.repeat(WIDTH - filled)}] ${Math.floor(share * 100)} % `;
    out.write(`\r${label} ${bar}${mib} MiB\u001B[K`);
  };
  return {
    add: (bytes) => {
      done += bytes;
      if (performance.now() - shownAt < EVERY_MS) return;
      shownAt = performance.now();
      show();
    },
    end: () => {
      show();
      out.write('\n');
    },
  };
}
