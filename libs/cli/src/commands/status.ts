import { AppError, configOrExit, EXIT } from '@flowledger/platform';
import { graphql } from '../api-client.js';
import { takeFlag } from '../flags.js';
import { isRunning, readGroupState, type ProcessEntry } from '../group/run-state.js';

const COVERAGE = `query Status { coverage(window: { last: "1h" }) { status unaccounted watermark eventsLostUpstream nodesReporting repairing } }`;

interface Coverage {
  readonly coverage: {
    readonly status: string;
    readonly unaccounted: number;
    readonly watermark: string | null;
    readonly eventsLostUpstream: number;
    readonly nodesReporting: number;
    readonly repairing: boolean;
  };
}

/** What the ingestor says of a live source (SourceState of libs/ingest). */
interface SourceEntry {
  readonly source: string;
  readonly target: string;
  readonly state: string;
  readonly parts: number;
  readonly newest: string | null;
  readonly error: string | null;
}

/** Asks the ingestor; none when it does not answer. */
async function sourcesOf(url: string | undefined, token: string): Promise<readonly SourceEntry[]> {
  if (url === undefined) return [];
  try {
    const headers = token === '' ? undefined : { authorization: `Bearer ${token}` };
    const answer = await fetch(`${url}/status`, {
      ...(headers && { headers }),
      signal: AbortSignal.timeout(2000),
    });
    const body = (await answer.json()) as { readonly sources?: readonly SourceEntry[] };
    return body.sources ?? [];
  } catch {
    return [];
  }
}

/**
 * `flowledger status [--json | --pid NAME]`: the processes of the group with their pids, and what the last hour's answers
 * are worth. `--pid NAME` prints the pid of one process alone, for scripts.
 */
export async function status(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json');
  const { value: name, rest } = takeFlag(argv, '--pid');
  const config = configOrExit(rest.filter((word) => word !== '--json'));
  const state = await readGroupState(config.data.dir);
  if (state === undefined || !isRunning(state.supervisor)) {
    throw new AppError('NOT_FOUND', `nothing runs on ${config.data.dir}`, { retry: false });
  }
  const processes = [state.supervisor, ...state.processes];
  if (name !== undefined) {
    const entry = processes.find((p) => p.name === name);
    if (entry === undefined) throw new AppError('NOT_FOUND', `no process named ${name}`, { retry: false });
    process.stdout.write(`${entry.pid}\n`);
    return EXIT.ok;
  }
  const sources = await sourcesOf(
    state.processes.find((p) => p.name === 'ingestor')?.url,
    config.admin.token,
  );
  const answer = await graphql<Coverage>(state.url, config.api.token, COVERAGE, {}).catch(() => undefined);
  if (json)
    process.stdout.write(
      `${JSON.stringify({ url: state.url, processes, sources, coverage: answer?.coverage ?? null })}\n`,
    );
  else process.stdout.write(describe(state.url, processes, sources, answer?.coverage));
  return answer === undefined ? EXIT.unavailable : EXIT.ok;
}

function describe(
  url: string,
  processes: readonly ProcessEntry[],
  sources: readonly SourceEntry[],
  coverage: Coverage['coverage'] | undefined,
): string {
  const row = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd([12, 9, 10, 26][i] ?? 0))
      .join('')
      .trimEnd();
  const lines = [
    url,
    row(['process', 'pid', 'restarts', 'since']),
    ...processes.map((p) =>
      row([p.name, String(p.pid), String(p.restarts), p.since, isRunning(p) ? '' : 'not running']),
    ),
  ];
  const observer = processes.find((p) => p.observer !== undefined)?.observer;
  if (observer !== undefined) lines.push(`hubble: ${observer}`);
  for (const { source, target, state, parts, newest, error } of sources)
    lines.push(
      `${source} ${target}: ${state}, ${parts} ${source === 'file' ? 'files' : 'nodes'}, newest ${newest ?? 'none'}${error === null ? '' : `, ${error}`}`,
    );
  if (coverage === undefined) lines.push('answers: the api does not answer');
  else {
    lines.push(
      `answers: ${coverage.status}, ${coverage.unaccounted} events unaccounted, ${coverage.nodesReporting} nodes reporting, ` +
        `${coverage.eventsLostUpstream} lost upstream, watermark ${coverage.watermark ?? 'none'}${coverage.repairing ? ', repairing' : ''}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
