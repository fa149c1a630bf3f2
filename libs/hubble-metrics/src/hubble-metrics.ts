import { enumName, LOST_EVENT_SOURCE } from '@flowledger/model';
import type { LabelledFlow } from '@flowledger/query';
import type { Handler, HandlerParts } from './handler.js';
import { dnsHandler } from './handlers/dns.js';
import { httpHandler, httpV2Handler, kafkaHandler } from './handlers/l7.js';
import {
  dropHandler,
  flowHandler,
  icmpHandler,
  policyHandler,
  portHandler,
  sctpHandler,
  tcpHandler,
  worldHandler,
} from './handlers/packets.js';
import type { HandlerConfig, HandlerName } from './metric-config.js';
import { SeriesFamily, type SeriesBudget } from './series.js';

const MAKERS: Readonly<Record<HandlerName, (parts: HandlerParts) => Handler>> = {
  dns: dnsHandler,
  drop: dropHandler,
  flow: flowHandler,
  'flows-to-world': worldHandler,
  http: httpHandler,
  httpV2: httpV2Handler,
  icmp: icmpHandler,
  kafka: kafkaHandler,
  policy: policyHandler,
  'port-distribution': portHandler,
  sctp: sctpHandler,
  tcp: tcpHandler,
};

export interface HubbleMetricsOptions {
  readonly handlers: readonly HandlerConfig[];
  readonly budget: SeriesBudget;
  /** Leave out what Hubble counts twice or as zero. */
  readonly correct: boolean;
}

/** A handler as it is configured now. */
interface Enabled {
  readonly config: HandlerConfig;
  readonly handler: Handler;
}

/**
 * Hubble's metrics over the flows it is given: the series of hubble note 5.2 under their own names. Pure but for its
 * counters; time is the caller's. Counters begin at zero with the process, which Prometheus takes for a reset.
 */
export class HubbleMetrics {
  #enabled: readonly Enabled[] = [];
  /** Whether the configuration file, if there is one, is the one that is in force. */
  #fileHolds: boolean | undefined;
  readonly #options: Omit<HubbleMetricsOptions, 'handlers'>;
  readonly #lost: SeriesFamily;
  /** Flows of the tail that were not counted. */
  readonly #missed: SeriesFamily;

  constructor({ handlers, ...options }: HubbleMetricsOptions) {
    this.#options = options;
    const { budget } = options;
    this.configure(handlers);
    const label = (name: string) => [{ name, open: false }];
    this.#lost = new SeriesFamily(
      'hubble_lost_events_total',
      'Events that Hubble lost, by where',
      label('source'),
      budget,
    );
    this.#missed = new SeriesFamily(
      'flowledger_hubble_metrics_missed_total',
      'Flows that are in none of the hubble_ series because the live tail had to leave them out',
      label('reason'),
      budget,
    );
  }

  /**
   * Puts other handlers in force. One whose labels stay the same keeps its counters, whatever its filters; all others
   * begin at zero, as in Hubble.
   */
  configure(handlers: readonly HandlerConfig[]): void {
    const { budget, correct } = this.#options;
    this.#enabled = handlers.map((config) => {
      const same = this.#enabled.find((one) => shapeOf(one.config) === shapeOf(config));
      return { config, handler: same?.handler ?? MAKERS[config.name]({ config, budget, correct }) };
    });
  }

  /** Says whether the configuration file is in force (true), or an older state of it because it is bad (false). */
  fileHolds(holds: boolean): void {
    this.#fileHolds = holds;
  }

  /** Counts one flow in every family whose filters let it pass. `nowMs`: when, for the age of series and exemplars. */
  count(flow: LabelledFlow, nowMs: number): void {
    for (const { config, handler } of this.#enabled)
      if (config.passes === undefined || config.passes(flow)) handler.count(flow, nowMs);
  }

  /** Counts what a source says it lost; `source` is a LostEventSource number, absent when nobody knows. */
  lost(source: number | undefined, count: number, nowMs: number): void {
    const word = source === undefined ? 'unknown' : enumName(LOST_EVENT_SOURCE, source).toLowerCase();
    this.#lost.add([word], count, nowMs);
  }

  /** Counts flows that the live tail left out. */
  missed(reason: string, count: number, nowMs: number): void {
    this.#missed.add([reason], count, nowMs);
  }

  /** The exposition: Prometheus text, or OpenMetrics with exemplars. */
  text(openMetrics: boolean, nowMs: number): string {
    const families = [this.#lost, this.#missed, ...this.#enabled.flatMap(({ handler }) => handler.families)];
    const texts = families.map((family) => family.text(openMetrics, nowMs));
    const budget = budgetText(families, openMetrics);
    return `${texts.join('')}${budget}${fileText(this.#fileHolds)}${openMetrics ? '# EOF\n' : ''}`;
  }
}

/** What decides the names of labels and series: all but the filters. */
function shapeOf({ name, contexts, switches }: HandlerConfig): string {
  return JSON.stringify([name, contexts, [...switches].toSorted()]);
}

/** Whether the configuration file is in force; nothing where there is none. */
function fileText(holds: boolean | undefined): string {
  if (holds === undefined) return '';
  const name = 'flowledger_hubble_metrics_config_file_holds';
  return `# HELP ${name} 1 when the configuration file is in force, 0 when an older state of it is\n# TYPE ${name} gauge\n${name} ${Number(holds)}\n`;
}

/** What the cardinality budget did: series now and observations folded, by family. */
function budgetText(families: readonly SeriesFamily[], openMetrics: boolean): string {
  const folded = 'flowledger_hubble_metrics_folded';
  const lines = [
    '# HELP flowledger_hubble_metrics_series Series of a family now',
    '# TYPE flowledger_hubble_metrics_series gauge',
    ...families.map(({ name, size }) => `flowledger_hubble_metrics_series{family="${name}"} ${size}`),
    `# HELP ${openMetrics ? folded : `${folded}_total`} Observations whose names were folded by the cardinality budget`,
    `# TYPE ${openMetrics ? folded : `${folded}_total`} counter`,
    ...families.map((family) => `${folded}_total{family="${family.name}"} ${family.folded}`),
  ];
  return `${lines.join('\n')}\n`;
}
