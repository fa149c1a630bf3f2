import { Agent, request } from 'node:http';

/** Connections of row 11. */
export const CONNECTIONS = 32;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const RED = `query ($from: Time!, $to: Time!) {
  redMetrics(window: { from: $from, to: $to }, groupBy: [{ dimension: WORKLOAD, side: SERVER }], limit: 20) {
    total { requests errors errorRatio quantilesMs }
    groups { key { value } stats { requests errors quantilesMs(q: [0.5, 0.95]) } }
  }
}`;

/** How long each question took, and what went wrong. */
export interface Asked {
  readonly millis: readonly number[];
  readonly failures: readonly string[];
}

/** One POST on a kept connection; rejects when the answer has errors. */
function post(agent: Agent, url: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const outgoing = request(`${url}/graphql`, { method: 'POST', agent, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const { data, errors } = JSON.parse(text) as {
          data?: { redMetrics?: object } | null;
          errors?: object;
        };
        if (errors === undefined && data?.redMetrics !== undefined) resolve();
        else reject(new Error(text.slice(0, 300)));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Asks for RED of about a day, each time of another window, so that no answer is a repetition. */
class RedAsker {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  readonly #nowMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  readonly millis: number[] = [];
  readonly failures: string[] = [];
  #asked = 0;

  constructor(private readonly url: string) {}

  /** Asks once; the time counts from `began`. */
  async ask(began = performance.now()): Promise<void> {
    const n = this.#asked++;
    const from = new Date(this.#nowMs - DAY_MS + (n % 360) * MINUTE_MS).toISOString();
    const to = new Date(this.#nowMs - (Math.floor(n / 360) % 360) * MINUTE_MS).toISOString();
    try {
      await post(this.#agent, this.url, JSON.stringify({ query: RED, variables: { from, to } }));
      this.millis.push(performance.now() - began);
    } catch (error) {
      this.failures.push(error instanceof Error ? error.message : String(error));
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** 32 askers, each with one request under way: how many requests there can be. */
export async function askAtOnce(url: string, seconds: number): Promise<Asked> {
  const red = new RedAsker(url);
  const until = performance.now() + seconds * 1000;
  const asker = async (): Promise<void> => {
    while (performance.now() < until) await red.ask();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, asker));
  red.close();
  return red;
}

/**
 * Open loop: a request is due at fixed times, whether or not those before were answered, and its time counts from when it
 * was due; one that finds all connections taken waits for one, and that counts too.
 */
export async function askOnTime(url: string, perSecond: number, seconds: number): Promise<Asked> {
  const red = new RedAsker(url);
  const began = performance.now();
  const under: Promise<void>[] = [];
  for (let n = 0; n < perSecond * seconds; n++) {
    const due = began + (n * 1000) / perSecond;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    under.push(red.ask(due));
  }
  await Promise.all(under);
  red.close();
  return red;
}
