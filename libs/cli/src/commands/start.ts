import {
  AppError,
  configOrExit,
  describeError,
  EXIT,
  isAppError,
  openLog,
  stopSignal,
} from '@flowledger/platform';
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
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
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
  if (demo !== undefined) {
    lines.push(`demo: ${demo.nodes} nodes, 24 h of history, an incident is playing: ${demo.incident}`);
    lines.push(`  who dropped what, and why?   npm run flowledger -- explain --last-drop`);
  }
  return `${lines.join('\n')}\n`;
}
