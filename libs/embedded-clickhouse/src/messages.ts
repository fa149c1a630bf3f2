import type { StoreUser } from './users.js';

/** Everything the child needs to know. Sent over IPC, so passwords are neither in argv nor in the environment. */
export interface ServerOptions {
  /** Data directory; made when missing. One owner at a time. */
  readonly directory: string;
  /** Where insert bodies wait, best in memory; emptied of its own leftovers at start. */
  readonly spoolDirectory: string;
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  readonly users: readonly StoreUser[];
  /** Cap on the engine's own memory, bytes. The process needs about 300 MB beside it. */
  readonly maxMemoryBytes: number;
  /** Largest insert body after decompression, bytes. */
  readonly maxBodyBytes: number;
  /** Largest sum of insert bodies that wait or run, bytes. */
  readonly maxSpoolBytes: number;
  /** Longest wait for a free slot, ms; then 202 TOO_MANY_SIMULTANEOUS_QUERIES. */
  readonly queueTimeoutMs: number;
}

/** Numbers of a running endpoint. */
export interface ServerStats {
  readonly rssBytes: number;
  readonly running: number;
  readonly waiting: number;
  readonly spoolBytes: number;
}

export type ParentMessage =
  | { readonly type: 'start'; readonly options: ServerOptions }
  | { readonly type: 'stop'; readonly drainMs: number }
  | { readonly type: 'stats'; readonly id: number };

export type ChildMessage =
  | { readonly type: 'ready'; readonly port: number; readonly version: string }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'stats'; readonly id: number; readonly stats: ServerStats };
