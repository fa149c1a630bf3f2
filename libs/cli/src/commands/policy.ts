import { readFile } from 'node:fs/promises';
import { readPolicyDocuments } from '@flowledger/graphql';
import { AppError, configOrExit, EXIT } from '@flowledger/platform';
import { graphql } from '../api-client.js';
import { takeFlag, takeSwitch } from '../flags.js';
import { runningUrl } from '../group/running-url.js';
import {
  AUDIT,
  auditText,
  CHECK,
  checkText,
  LIST,
  listText,
  RECOMMEND,
  recommendText,
  type Audit,
  type Check,
  type Inventory,
  type Recommendation,
} from './policy-answers.js';

interface Asked {
  readonly words: readonly string[];
  readonly namespace: string | null;
  readonly cluster: string | null;
  readonly last: string;
  readonly json: boolean;
  /** Asks the running API. */
  readonly query: <Data>(query: string, variables: Readonly<Record<string, unknown>>) => Promise<Data>;
}

type Work = (asked: Asked) => Promise<number>;

const WORK: Readonly<Record<string, Work>> = { list, check, audit, recommend };
const DEFAULT_WINDOW = '24h';

/**
 * `flowledger policy list | check FILE… | audit | recommend -n NS` `[--last 7d] [--namespace NS] [--cluster C] [--url URL]
 * [--json]`. `check` ends with 1 when a file has problems or would break a connection of the window.
 */
export async function policy(argv: readonly string[]): Promise<number> {
  const [name = '', ...rest] = argv;
  const work = WORK[name];
  if (work === undefined)
    throw new AppError(
      'INVALID_ARGUMENT',
      'policy list, policy check FILE, policy audit or policy recommend -n NS',
      {
        retry: false,
      },
    );
  return work(askedOf(rest));
}

function askedOf(argv: readonly string[]): Asked {
  const short = takeFlag(argv, '-n');
  const namespace = takeFlag(short.rest, '--namespace');
  const cluster = takeFlag(namespace.rest, '--cluster');
  const last = takeFlag(cluster.rest, '--last');
  const url = takeFlag(last.rest, '--url');
  const json = takeSwitch(url.rest, '--json');
  const split = json.rest.findIndex((word) => word.startsWith('--'));
  const words = split < 0 ? json.rest : json.rest.slice(0, split);
  const config = configOrExit(split < 0 ? [] : json.rest.slice(split));
  return {
    words,
    namespace: namespace.value ?? short.value ?? null,
    cluster: cluster.value ?? null,
    last: last.value ?? DEFAULT_WINDOW,
    json: json.on,
    query: async (query, variables) => {
      const base = url.value?.replace(/\/+$/, '') ?? (await runningUrl(config.data.dir));
      return graphql(base, config.api.token, query, variables);
    },
  };
}

function print(asked: Asked, answer: unknown, text: string): void {
  process.stdout.write(asked.json ? `${JSON.stringify(answer)}\n` : text);
}

async function list(asked: Asked): Promise<number> {
  const { cluster, namespace } = asked;
  const { policies } = await asked.query<{ policies: Inventory }>(LIST, { cluster, namespace });
  print(asked, policies, listText(policies));
  return EXIT.ok;
}

async function audit(asked: Asked): Promise<number> {
  const { cluster, namespace, last } = asked;
  const { policyAudit } = await asked.query<{ policyAudit: Audit }>(AUDIT, { cluster, namespace, last });
  print(asked, policyAudit, auditText(policyAudit, last));
  return EXIT.ok;
}

async function recommend(asked: Asked): Promise<number> {
  const { cluster, namespace, last } = asked;
  if (namespace === null)
    throw new AppError('INVALID_ARGUMENT', 'name the namespace: -n NS', { retry: false });
  const variables = { cluster, namespace, last };
  const { policyRecommendation } = await asked.query<{ policyRecommendation: Recommendation }>(
    RECOMMEND,
    variables,
  );
  print(asked, policyRecommendation, recommendText(policyRecommendation, namespace, last));
  return EXIT.ok;
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new AppError('NOT_FOUND', `cannot read ${path}`, { retry: false, cause });
  }
}

async function check(asked: Asked): Promise<number> {
  const { words, cluster, namespace, last } = asked;
  if (words.length === 0) throw new AppError('INVALID_ARGUMENT', 'name one or more files', { retry: false });
  const texts = await Promise.all(words.map(textOf));
  const unread = texts.flatMap((text, i) => readPolicyDocuments(text, words[i] ?? '').problems);
  // What is no YAML at all the API would refuse with less to say about the file.
  for (const { origin, reason } of unread) process.stderr.write(`${origin}: ${reason}\n`);
  if (unread.length > 0) return EXIT.failed;
  const documents = texts.join('\n---\n');
  const { policyCheck } = await asked.query<{ policyCheck: Check }>(CHECK, {
    documents,
    cluster,
    namespace,
    last,
  });
  print(asked, policyCheck, checkText(policyCheck, last));
  const { problems, wouldBreak } = policyCheck;
  return problems.length + wouldBreak.length === 0 ? EXIT.ok : EXIT.failed;
}
