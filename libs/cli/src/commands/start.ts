import {
  AppError,
  configOrExit,
  describeError,
  EXIT,
  isAppError,
  openLog,
  stopSignal,
  systemClock,
} from '@flowledger/platform';
import { graphql } from '../api-client.js';
import { startGroup, type GroupEntries, type RunningGroup } from '../group/group.js';

const STOP_DEADLINE_MS = 24_000;

/**
 * `flowledger start`: everything on this machine until SIGTERM or Ctrl-C, then a drain. Standard output carries
 * `ready <url>` and what to open; logs go to standard error. Exit 0 after a clean stop.
 */
export async function start(argv: readonly string[], entries: GroupEntries): Promise<number> {
  const config = configOrExit(argv);
  const log = openLog('supervisor', config.diagnostics.level);
  const signal = stopSignal();
  let group: RunningGroup;
  try {
    group = await startGroup(config, entries, log);
  } catch (error) {
    process.stderr.write(`flowledger: ${describeError(error)}\n`);
    return isAppError(error, 'CONFLICT') || isAppError(error, 'CONFIG_INVALID') ? EXIT.config : EXIT.failed;
  }
  process.stdout.write(welcome(group));
  const told = tellDemo(group, config.api.token, signal);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await told;
  process.stdout.write('stopping: intake first, then what is on its way\n');
  const clean = await group.stop(STOP_DEADLINE_MS);
  if (!clean)
    throw new AppError('TIMEOUT', 'not everything stopped in time; nothing that was acknowledged is lost', {
      retry: false,
    });
  process.stdout.write('stopped\n');
  return EXIT.ok;
}

function welcome(group: RunningGroup): string {
  const { url, demo } = group;
  const lines = [
    `ready ${url}`,
    `  service map   ${url}/`,
    `  GraphQL       ${url}/graphql        (IDE: ${url}/graphiql, schema: ${url}/graphql/schema.graphql)`,
    `  ClickHouse    ${group.storeUrl}     (user grafana is read-only; passwords in run/store-credentials.json)`,
  ];
  if (group.observer !== undefined)
    lines.push(`  hubble        hubble observe --server ${group.observer}     (the stock CLI, with memory)`);
  if (demo !== undefined) lines.push('loading the demo cluster\u2019s history \u2026');
  return `${lines.join('\n')}\n`;
}

const DEMO_WAIT_MS = 90_000;
/** A live demo always has a few events on their way; below this the history is in the tables. */
const FEW_EVENTS = 200;

/** Says what the demo plays once its history is loaded, so that the first look finds it whole. */
async function tellDemo(group: RunningGroup, token: string, signal: AbortSignal): Promise<void> {
  const { demo, url } = group;
  if (demo === undefined) return;
  const deadline = systemClock.monotonic() + DEMO_WAIT_MS;
  while (!signal.aborted && systemClock.monotonic() < deadline) {
    const answer = await graphql<{ coverage: { unaccounted: number | null } }>(
      url,
      token,
      UNACCOUNTED,
      {},
    ).catch(() => undefined);
    if ((answer?.coverage.unaccounted ?? Infinity) < FEW_EVENTS) break;
    await systemClock.sleep(250, signal).catch(() => undefined);
  }
  if (signal.aborted) return;
  process.stdout.write(
    `demo: ${demo.nodes} nodes, ${demo.history} of history, an incident is playing: ${demo.incident}\n` +
      '  who dropped what, and why?   npm run --silent flowledger -- explain --last-drop\n',
  );
}

const UNACCOUNTED = '{ coverage(window: { last: "1h" }) { unaccounted } }';
