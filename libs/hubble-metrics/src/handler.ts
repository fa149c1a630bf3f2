import type { LabelledFlow } from '@flowledger/query';
import { ContextLabels } from './context-labels.js';
import type { HandlerConfig } from './metric-config.js';
import { SECONDS_BOUNDS, SeriesFamily, type LabelSpec, type SeriesBudget } from './series.js';

/** Counts flows into the families of one of Hubble's metrics. */
export interface Handler {
  readonly families: readonly SeriesFamily[];
  count(flow: LabelledFlow, nowMs: number): void;
}

/** What all handlers are made with. */
export interface HandlerParts {
  readonly config: HandlerConfig;
  readonly budget: SeriesBudget;
  /** Leave out what Hubble counts twice or as zero (hubble note 5.3); off = the numbers that Hubble would show. */
  readonly correct: boolean;
}

/** Makes the families of one handler: context labels first, then its own. */
export class FamilyMaker {
  readonly contexts: ContextLabels;

  constructor(private readonly parts: HandlerParts) {
    this.contexts = new ContextLabels(parts.config.contexts);
  }

  /** A label before whose name stands `*` is open: the budget may fold its values. */
  counter(name: string, help: string, labels: readonly string[]): SeriesFamily {
    return new SeriesFamily(`hubble_${name}`, help, this.#specs(labels), this.parts.budget);
  }

  seconds(name: string, help: string, labels: readonly string[]): SeriesFamily {
    return new SeriesFamily(`hubble_${name}`, help, this.#specs(labels), this.parts.budget, SECONDS_BOUNDS);
  }

  #specs(labels: readonly string[]): readonly LabelSpec[] {
    return [
      ...this.contexts.names.map((name) => ({ name, open: name !== 'traffic_direction' })),
      ...labels.map((label) => ({ name: label.replace('*', ''), open: label.startsWith('*') })),
    ];
  }
}
