import { AppError } from '@flowledger/platform';
import { isRunning, readGroupState } from './run-state.js';

/** Where the API of the processes on a data directory answers. Throws NOT_FOUND when nothing runs there. */
export async function runningUrl(dataDir: string): Promise<string> {
  const state = await readGroupState(dataDir);
  if (state === undefined || !isRunning(state.supervisor)) {
    throw new AppError('NOT_FOUND', `nothing runs on ${dataDir}; name it with --url or --data-dir`, {
      retry: false,
    });
  }
  return state.url;
}
