import { request } from 'node:http';
import { Simulation, toJsonLine } from '@flowledger/simulator';

/** A file's worth of lines, and the uuids in them. */
export interface Batch {
  readonly body: string;
  readonly uuids: readonly string[];
}

/** Deterministic batches of flows from the simulated cluster, as export lines. */
export function* batches(seed: number, linesPerBatch: number): Generator<Batch> {
  const from = BigInt(Math.floor(Date.now() / 1000) - 6 * 3600) * 1_000_000_000n;
  const simulation = new Simulation({
    seed,
    from,
    to: from + 86_400_000_000_000n,
    callsPerSecond: 50,
    scenario: 'test',
  });
  let lines: string[] = [];
  let uuids: string[] = [];
  for (const event of simulation.events()) {
    const line = toJsonLine(event);
    const uuid = /"uuid":"([0-9a-f-]{36})"/.exec(line)?.[1];
    lines.push(line);
    if (uuid !== undefined) uuids.push(uuid);
    if (lines.length < linesPerBatch) continue;
    yield { body: `${lines.join('\n')}\n`, uuids };
    [lines, uuids] = [[], []];
  }
}

/** Sends one batch; true once the answer said that it is durable and booked. Never throws: a kill is expected. */
export function send(url: string, batch: Batch, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const outgoing = request(
      `${url}/v1/import`,
      { method: 'POST', timeout: timeoutMs, headers: { 'content-type': 'application/x-ndjson' } },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode === 200 && answer.complete));
        answer.on('error', () => resolve(false));
        answer.on('close', () => resolve(false));
      },
    );
    outgoing.on('error', () => resolve(false));
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.end(batch.body);
  });
}
