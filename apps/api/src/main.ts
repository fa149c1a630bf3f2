// ClickHouse → GraphQL, the start page, metrics. Reads with the read-only user; passes uploads on to the ingestor.
import { createApiServer } from '@flowledger/graphql';
import { importRoute, IMPORT_PATH, readGroupState } from '@flowledger/cli';
import { openColumnStore } from '@flowledger/column-store';
import { LOADER_GROUP, openLogReader } from '@flowledger/event-log';
import { runProcess } from '@flowledger/platform';

await runProcess('api', async ({ config, log, metrics, life }) => {
  const eventLog = await openLogReader(config);
  life.own('log', () => eventLog.close());
  const { url, readUser, readPassword, database } = config.store;
  const store = openColumnStore({ url, user: readUser, password: readPassword, database });
  life.own('store', () => store.close());
  const intakeUrl = async (): Promise<string | undefined> => {
    const state = await readGroupState(config.data.dir);
    return state?.processes.find((entry) => entry.name === 'ingestor')?.url;
  };
  const server = await createApiServer({
    store,
    log: eventLog,
    group: LOADER_GROUP,
    host: config.api.host,
    port: config.api.port,
    ...(config.api.token === '' ? {} : { token: config.api.token }),
    insecure: config.api.insecure,
    allowedHosts: config.api.allowedHosts,
    tenant: config.source.tenant,
    metrics,
    logger: log,
    rawRoutes: [{ method: 'POST', path: IMPORT_PATH, handle: importRoute({ intakeUrl, store, epoch: eventLog.epoch }) }],
  });
  life.own('server', () => server.close());
  return { url: server.url };
});
