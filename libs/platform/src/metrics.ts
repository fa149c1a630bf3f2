import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/**
 * Metrics of one process. Names are `flowledger_<component>_<what>_<unit>_total`; label values come from closed sets
 * only, never an address, path or pod name.
 */
export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): Counter;
  gauge(name: string, help: string, labels?: readonly string[]): Gauge;
  /** Prometheus text exposition. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** A registry with the process's own CPU, memory and event-loop figures already in it. */
export function openMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'flowledger_' });
  return {
    counter: (name, help, labels = []) =>
      new Counter({ name, help, labelNames: [...labels], registers: [registry] }),
    gauge: (name, help, labels = []) =>
      new Gauge({ name, help, labelNames: [...labels], registers: [registry] }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
