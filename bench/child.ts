import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Starts another process of the bench, by the name of its file; what it prints goes to standard error. */
export function startChild(name: string): ChildProcess {
  return fork(fileURLToPath(new URL(`./${name}.js`, import.meta.url)), { stdio: ['ignore', 2, 2, 'ipc'] });
}

/** What a child says next; rejects when it ends instead. */
export async function answer(process: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const gone = once(process, 'exit', { signal: ended.signal }).then(([code]) => {
    throw new Error(`a process of the bench ended with ${String(code)}`);
  });
  gone.catch(() => undefined);
  try {
    const [said] = (await Promise.race([once(process, 'message'), gone])) as readonly unknown[];
    return said;
  } finally {
    ended.abort();
  }
}
