import { WireFields, toProtoJson } from '@flowledger/model';
import { observeFlows } from '@flowledger/observer';
import { AppError, configOrExit, describeError, EXIT, systemClock, type Config } from '@flowledger/platform';
import { graphql } from '../api-client.js';
import { readGroupState } from '../group/run-state.js';
import { runningUrl } from '../group/running-url.js';
import { encodeFilter } from '../observe/encode-filter.js';
import { exportFlows } from '../observe/export-flows.js';
import { FlowCounts } from '../observe/flow-counts.js';
import { readObserveWords, type ObserveWords } from '../observe/observe-words.js';
import { compactLine, csvHead, csvLine, type FlowJson } from '../observe/print-flow.js';

const EXPLAIN = `query Why($uuid: String, $near: Time) { flow(uuid: $uuid, near: $near) { id } }`;
const WHY = 'query Why($id: ID!) { dropExplanation(flowId: $id) { conclusion } }';

/**
 * `flowledger observe [flags of hubble observe] [--aggregate-by KEYS] [--explain] [-o compact|json|jsonpb|csv|parquet]`:
 * flows of the running Flowledger, with relative days (`--since 7d`). What is no flow goes to standard error.
 */
export async function observe(argv: readonly string[]): Promise<number> {
  const words = readObserveWords(argv, BigInt(systemClock.now()) * 1_000_000n);
  if (words.printRawFilters) {
    process.stdout.write(`${JSON.stringify({ allowlist: words.allow, denylist: words.deny })}\n`);
    return EXIT.ok;
  }
  const config = configOrExit(words.settings);
  if (words.output === 'parquet') return parquet(words, config);
  const address = words.server ?? (await runningObserver(config));
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.stdout.on('error', () => stop.abort());
  const request = {
    ...words,
    allow: words.allow.map(encodeFilter),
    deny: words.deny.map(encodeFilter),
  };
  const counts = words.aggregateBy.length === 0 ? undefined : new FlowCounts(words.aggregateBy);
  if (words.output === 'csv' && counts === undefined) await print(csvHead());
  for await (const response of observeFlows(address, request, stop.signal))
    await show(response, words, counts, (flow) => explained(flow, words, config));
  for (const line of counts?.lines() ?? []) await print(line);
  return EXIT.ok;
}

/** Writes a file for programs; a terminal is no place for it. */
async function parquet(words: ObserveWords, config: Config): Promise<number> {
  if (process.stdout.isTTY)
    throw new AppError('INVALID_ARGUMENT', '-o parquet writes a file: flowledger observe … > flows.parquet', {
      retry: false,
    });
  await exportFlows(words, {
    url: words.url ?? (await runningUrl(config.data.dir)),
    token: config.api.token,
    to: process.stdout,
    say: (text) => process.stderr.write(`${text}\n`),
  });
  return EXIT.ok;
}

async function show(
  response: Uint8Array,
  words: ObserveWords,
  counts: FlowCounts | undefined,
  explain: (flow: FlowJson) => Promise<string | undefined>,
): Promise<void> {
  const json = toProtoJson('observer.GetFlowsResponse', response);
  if (!json.ok)
    throw new AppError('INTERNAL', `a response that does not decode: ${json.reason}`, { retry: false });
  const { flow } = JSON.parse(json.value) as { readonly flow?: FlowJson };
  if (flow === undefined) {
    const status = new WireFields(response).message(2)?.text(3) ?? '';
    process.stderr.write(`${status === '' ? json.value : status}\n`);
    return;
  }
  if (counts !== undefined) {
    counts.add(flow);
    return;
  }
  if (words.output === 'csv') await print(csvLine(flow));
  else await print(words.output === 'compact' ? compactLine(flow) : json.value);
  const why = await explain(flow);
  if (why !== undefined) await print(`    ${why}`);
}

/** Why a flow was dropped, in one sentence; undefined when it was not, or nobody asks. */
async function explained(flow: FlowJson, words: ObserveWords, config: Config): Promise<string | undefined> {
  if (!words.explain || flow.verdict !== 'DROPPED' || flow.uuid === undefined) return undefined;
  const url = words.url ?? (await runningUrl(config.data.dir));
  try {
    return await conclusion(flow, url, config.api.token);
  } catch (error) {
    // A flow that nobody can explain must not end the list.
    return `not explained: ${describeError(error)}`;
  }
}

async function conclusion(flow: FlowJson, url: string, token: string): Promise<string | undefined> {
  const found = await graphql<{ flow: { id: string } | null }>(url, token, EXPLAIN, {
    uuid: flow.uuid,
    near: flow.time,
  });
  if (found.flow === null) return undefined;
  const { dropExplanation } = await graphql<{ dropExplanation: { conclusion: string } | null }>(
    url,
    token,
    WHY,
    { id: found.flow.id },
  );
  return dropExplanation?.conclusion;
}

async function runningObserver(config: Config): Promise<string> {
  const state = await readGroupState(config.data.dir);
  const observer = state?.processes.find((entry) => entry.observer !== undefined)?.observer;
  return observer ?? `${config.observer.host}:${config.observer.port}`;
}

/** Waits while the reader of standard output is slow. */
async function print(line: string): Promise<void> {
  if (process.stdout.write(`${line}\n`)) return;
  await new Promise<void>((resolve) => {
    process.stdout.once('drain', resolve);
    process.stdout.once('close', resolve);
  });
}
