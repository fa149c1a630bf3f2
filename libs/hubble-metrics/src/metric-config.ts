import { AppError } from '@flowledger/platform';
import type { FlowPredicate } from '@flowledger/query';
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
  /** Which flows the handler sees; absent = all. */
  readonly passes?: FlowPredicate;
}

/** One option as it was given: its name and its words. */
export interface GivenOption {
  readonly name: string;
  readonly values: readonly string[];
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

/** The fault of a configuration; `place` is the setting and the entry in it. */
export function invalidMetric(place: string, text: string): AppError {
  return new AppError('CONFIG_INVALID', `${place}: ${text}`, { retry: false });
}

function contextValues(place: string, values: readonly string[]): readonly ContextValue[] {
  return values.map((word) => {
    const known = CONTEXT_VALUES.find((one) => one === word);
    if (known === undefined) throw invalidMetric(place, `${word} is none of ${CONTEXT_VALUES.join(', ')}`);
    return known;
  });
}

function labelContexts(place: string, values: readonly string[]): readonly string[] {
  const unknown = values.find((label) => !LABEL_CONTEXTS.includes(label));
  if (unknown !== undefined) throw invalidMetric(place, `${unknown} is no label of labelsContext`);
  return values;
}

/** A handler of its name and options. Throws CONFIG_INVALID with the place for what is not understood. */
export function makeHandler(place: string, word: string, options: readonly GivenOption[]): HandlerConfig {
  const name = HANDLERS.find((handler) => handler === word);
  if (name === undefined) throw invalidMetric(place, `${word} is none of ${HANDLERS.join(', ')}`);
  const contexts: { -readonly [K in keyof ContextOptions]: ContextOptions[K] } = { labels: [] };
  const switches = new Set<string>();
  for (const { name: option, values } of options) {
    if (isContextOption(option)) contexts[CONTEXT_OPTIONS[option]] = contextValues(place, values);
    else if (option === 'labelsContext') contexts.labels = labelContexts(place, values);
    else if (SWITCHES[name]?.includes(option) === true) {
      if (values[0] !== 'false') switches.add(option);
    } else throw invalidMetric(place, `${name} has no option ${option}`);
  }
  return { name, contexts, switches };
}

/**
 * Reads one entry in Hubble's syntax, `name:option=value;option=value` (`drop:sourceContext=pod;labelsContext=source_ip|…`).
 * Lists of `labelsContext` may be divided by `,` or `|`, because commas divide entries in flags. Throws CONFIG_INVALID.
 */
export function parseHandler(entry: string): HandlerConfig {
  const [word, rest] = splitOnce(entry.trim(), ':');
  const options = rest
    .split(';')
    .filter((text) => text !== '')
    .map((text) => {
      const [name, value] = splitOnce(text, '=');
      return { name, values: value.split(name === 'labelsContext' ? /[,|]/ : '|') };
    });
  return makeHandler(`hubbleMetrics.enabled: ${entry}`, word, options);
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
  return checkedTogether('hubbleMetrics.enabled', whole.map(parseHandler));
}

/** The handlers, where they can be together: none twice, not `http` beside `httpV2`. Throws CONFIG_INVALID. */
export function checkedTogether(place: string, handlers: readonly HandlerConfig[]): readonly HandlerConfig[] {
  for (const { name } of handlers) {
    if (handlers.filter((other) => other.name === name).length > 1)
      throw invalidMetric(`${place}: ${name}`, 'given twice');
    if (name === 'http' && handlers.some((other) => other.name === 'httpV2'))
      throw invalidMetric(`${place}: ${name}`, 'http and httpV2 exclude each other');
  }
  return handlers;
}
