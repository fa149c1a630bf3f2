import { WireFields, toProtoJson } from '@flowledger/model';
import { observeFlows, type MatchedFlows } from '@flowledger/observer';
import { AppError, configOrExit, describeError, EXIT, systemClock, type Config } from '@flowledger/platform';
import { graphql } from '../api-client.js';
import { runningUrl } from '../group/running-url.js';
import { encodeFilter } from '../observe/encode-filter.js';
import { exportFlows } from '../observe/export-flows.js';
import { FlowCounts } from '../observe/flow-counts.js';
import { readObserveWords, type ObserveWords } from '../observe/observe-words.js';
import { observerPlace } from '../observe/observer-place.js';
import { FlowPrinter } from '../observe/flow-printer.js';
import type { FlowJson } from '../observe/print-flow.js';

const EXPLAIN = `query Why($uuid: String, $near: Time) { flow(uuid: $uuid, near: $near) { id } }`;
const WHY = 'query Why($id: ID!) { dropExplanation(flowId: $id) { conclusion } }';

/**
 * `flowledger observe [flags of hubble observe] [--aggregate-by KEYS] [--explain]
 * [-o compact|dict|table|json|jsonpb|csv|parquet]`: flows of the running Flowledger, with relative days (`--since 7d`).
 * What is no flow goes to standard error.
 */
export async function observe(argv: readonly string[]): Promise<number> {
  const words = readObserveWords(argv, BigInt(systemClock.now()) * 1_000_000n);
  if (words.printRawFilters) {
    process.stdout.write(`${JSON.stringify({ allowlist: words.allow, denylist: words.deny })}\n`);
    return EXIT.ok;
  }
  const config = configOrExit(words.settings);
  if (words.output === 'parquet') return parquet(words, config);
  const place = await observerPlace(words.server, config);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.stdout.on('error', () => stop.abort());
  const request = {
    ...words,
    allow: words.allow.map(encodeFilter),
    deny: words.deny.map(encodeFilter),
  };
  const printer = words.aggregateBy.length === 0 ? new FlowPrinter(words) : new FlowCounts(words.aggregateBy);
  await print(printer.head());
  for await (const response of observeFlows(place, request, stop.signal, tellMatched)) {
    const shown = readResponse(response);
    if (shown === undefined) continue;
    await print(printer.add(shown.flow, shown.json));
    const why = await explained(shown.flow, words, config);
    if (why !== undefined) await print([`    ${why}`]);
  }
  await print(printer.end());
  return EXIT.ok;
}

function tellMatched({ exact, inferred }: MatchedFlows): void {
  if (inferred !== '0')
    process.stderr.write(`${exact} flows match as sent, ${inferred} only by an inferred name\n`);
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

/** The flow of a response; undefined when it is something else, which is told on standard error. */
function readResponse(response: Uint8Array): { readonly flow: FlowJson; readonly json: string } | undefined {
  const json = toProtoJson('observer.GetFlowsResponse', response);
  if (!json.ok)
    throw new AppError('INTERNAL', `a response that does not decode: ${json.reason}`, { retry: false });
  const { flow } = JSON.parse(json.value) as { readonly flow?: FlowJson };
  if (flow !== undefined) return { flow, json: json.value };
  const status = new WireFields(response).message(2)?.text(3) ?? '';
  process.stderr.write(`${status === '' ? json.value : status}\n`);
  return undefined;
}

/** Why a flow was dropped, in one sentence; undefined when it was not, or nobody asks. */
async function explained(flow: FlowJson, words: ObserveWords, config: Config): Promise<string | undefined> {
  if (!words.explain || words.aggregateBy.length > 0 || flow.verdict !== 'DROPPED' || flow.uuid === undefined)
    return undefined;
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

/** Waits while the reader of standard output is slow. */
async function print(lines: readonly string[]): Promise<void> {
  if (lines.length === 0 || process.stdout.write(`${lines.join('\n')}\n`)) return;
  await new Promise<void>((resolve) => {
    process.stdout.once('drain', resolve);
    process.stdout.once('close', resolve);
  });
}
