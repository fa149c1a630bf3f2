import { AppError } from '@flowledger/platform';
import { CONTEXT_VALUES, LABEL_CONTEXTS, type ContextOptions, type ContextValue } from './context-labels.js';

/** Handlers by the names that Hubble's configuration uses (hubble note 5.2). */
export const HANDLERS = [
  'dns',
  'drop',
  'flow',
  'flows-to-world',
  'http',
  'httpV2',
  'icmp',
  'kafka',
  'policy',
  'port-distribution',
  'sctp',
  'tcp',
] as const;

/** Name of a handler. */
export type HandlerName = (typeof HANDLERS)[number];

/** Options beside contexts that a handler knows; all are switches. */
const SWITCHES: Readonly<Partial<Record<HandlerName, readonly string[]>>> = {
  dns: ['query', 'ignoreAAAA'],
  'flows-to-world': ['any-drop', 'port', 'syn-only'],
  httpV2: ['exemplars'],
};

/** One enabled handler. */
export interface HandlerConfig {
  readonly name: HandlerName;
  readonly contexts: ContextOptions;
  /** Switches that are on. */
  readonly switches: ReadonlySet<string>;
}

const CONTEXT_OPTIONS = {
  sourceContext: 'source',
  sourceEgressContext: 'sourceEgress',
  sourceIngressContext: 'sourceIngress',
  destinationContext: 'destination',
  destinationEgressContext: 'destinationEgress',
  destinationIngressContext: 'destinationIngress',
} as const;

function isContextOption(name: string): name is keyof typeof CONTEXT_OPTIONS {
  return name in CONTEXT_OPTIONS;
}

function invalid(entry: string, text: string): AppError {
  return new AppError('CONFIG_INVALID', `hubbleMetrics.enabled: ${entry}: ${text}`, { retry: false });
}

function contextValues(entry: string, value: string): readonly ContextValue[] {
  return value.split('|').map((word) => {
    const known = CONTEXT_VALUES.find((one) => one === word);
    if (known === undefined) throw invalid(entry, `${word} is none of ${CONTEXT_VALUES.join(', ')}`);
    return known;
  });
}

/**
 * Reads one entry in Hubble's syntax, `name:option=value;option=value` (`drop:sourceContext=pod;labelsContext=source_ip|…`).
 * Lists of `labelsContext` may be divided by `,` or `|`, because commas divide entries in flags. Throws CONFIG_INVALID.
 */
export function parseHandler(entry: string): HandlerConfig {
  const [word = '', rest = ''] = splitOnce(entry.trim(), ':');
  const name = HANDLERS.find((handler) => handler === word);
  if (name === undefined) throw invalid(entry, `${word} is none of ${HANDLERS.join(', ')}`);
  const contexts: { -readonly [K in keyof ContextOptions]: ContextOptions[K] } = { labels: [] };
  const switches = new Set<string>();
  for (const part of rest.split(';').filter((text) => text !== '')) {
    const [option = '', value = ''] = splitOnce(part, '=');
    if (isContextOption(option)) contexts[CONTEXT_OPTIONS[option]] = contextValues(entry, value);
    else if (option === 'labelsContext') contexts.labels = labelContexts(entry, value);
    else if (SWITCHES[name]?.includes(option) === true) {
      if (value !== 'false') switches.add(option);
    } else throw invalid(entry, `${name} has no option ${option}`);
  }
  return { name, contexts, switches };
}

function labelContexts(entry: string, value: string): readonly string[] {
  return value.split(/[,|]/).map((label) => {
    if (!LABEL_CONTEXTS.includes(label)) throw invalid(entry, `${label} is no label of labelsContext`);
    return label;
  });
}

function splitOnce(text: string, at: string): readonly [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}

/**
 * Reads all entries. A comma inside `labelsContext` may have cut an entry in two where the list came as one text; the
 * parts are joined again. Throws CONFIG_INVALID, also for a handler given twice and for `http` beside `httpV2`.
 */
export function parseHandlers(entries: readonly string[]): readonly HandlerConfig[] {
  const whole: string[] = [];
  for (const entry of entries) {
    const last = whole.at(-1);
    if (last !== undefined && LABEL_CONTEXTS.includes(entry.split(';', 1)[0] ?? ''))
      whole[whole.length - 1] = `${last},${entry}`;
    else whole.push(entry);
  }
  const handlers = whole.map(parseHandler);
  for (const { name } of handlers) {
    if (handlers.filter((other) => other.name === name).length > 1) throw invalid(name, 'given twice');
    if (name === 'http' && handlers.some((other) => other.name === 'httpV2'))
      throw invalid(name, 'http and httpV2 exclude each other');
  }
  return handlers;
}
