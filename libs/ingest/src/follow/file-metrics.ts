import type { Metrics } from '@flowledger/platform';

/** Counts what happens to followed files. */
export interface FileMetrics {
  inc(labels: { event: 'opened' | 'replaced' | 'rotated' | 'lost' | 'gz_corrupt' }): void;
}

/** Registers the metric of followed files; once a process. */
export function openFileMetrics(metrics: Metrics): FileMetrics {
  return metrics.counter('flowledger_ingest_files_total', 'What happened to followed files', ['event']);
}
