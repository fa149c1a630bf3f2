import { watch, type FSWatcher } from 'node:fs';

/** Tells that something changed in a folder. A convenience: what it misses the next poll finds. */
export class FolderWatch {
  readonly #watchers = new Map<string, FSWatcher>();
  #changed = new AbortController();

  watch(folders: readonly string[]): void {
    for (const folder of folders) {
      if (this.#watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, { persistent: false }, () => this.#changed.abort());
        watcher.on('error', () => {
          watcher.close();
          this.#watchers.delete(folder);
        });
        this.#watchers.set(folder, watcher);
      } catch {
        // Polling alone finds changes, only later.
      }
    }
  }

  /** Aborts at the next change. */
  changed(): AbortSignal {
    if (this.#changed.signal.aborted) this.#changed = new AbortController();
    return this.#changed.signal;
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
  }
}
