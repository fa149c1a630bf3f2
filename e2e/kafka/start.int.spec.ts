import { randomUUID } from 'node:crypto';
import { announceSkip, findKafka, startTestKafka, type TestKafka, unusedPort } from '@flowledger/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, run, start, temporary, type Started } from '../command.js';
import { batches } from '../kill/load.js';

const source = await findKafka();
if (source.kind === 'none') announceSkip('Apache Kafka', source.reason, 'anywhere');

interface Unaccounted {
  readonly coverage: { readonly unaccounted: number };
}

describe.runIf(source.kind !== 'none')('everything on one machine with the log in Kafka', () => {
  let kafka: TestKafka;
  let started: Started | undefined;
  const directory = temporary();

  beforeAll(async () => {
    if (source.kind !== 'none') kafka = await startTestKafka(source);
  }, 400_000);
  afterAll(async () => {
    await started?.stop();
    await kafka?.stop();
    await (await directory).remove();
  }, 60_000);

  async function startHere(topic: string): Promise<Started> {
    const { path } = await directory;
    const log = ['--log-kind', 'kafka', '--log-brokers', kafka.brokers.join(','), '--log-topic', topic];
    const copies = ['--log-replication-factor', '1', '--log-min-in-sync-replicas', '1'];
    const words = ['--data-dir', path, '--port', String(await unusedPort()), '--no-demo'];
    return start([...words, ...log, ...copies]);
  }

  it('takes a file, answers, and finds everything again after a restart', async () => {
    const topic = `start-${randomUUID()}`;
    started = await startHere(topic);
    const [batch] = batches(11, 400);
    const response = await fetch(`${started.url}/v1/import`, { method: 'POST', body: batch?.body ?? '' });
    expect([response.status, await response.json()]).toMatchObject([200, { read: 400 }]);
    expect((await started.stop()).code).toBe(0);
    started = await startHere(topic);
    const again = await fetch(`${started.url}/v1/import`, { method: 'POST', body: batch?.body ?? '' });
    expect(await again.json()).toMatchObject({ read: 400, accepted: 0, duplicate: 400 });
    const { coverage } = await ask<Unaccounted>(
      started.url,
      '{ coverage(window: { last: "24h" }) { unaccounted } }',
    );
    expect(coverage.unaccounted).toBe(0);
    const log = ['--log-kind', 'kafka', '--log-brokers', kafka.brokers.join(','), '--log-topic', topic];
    const doctor = await run([
      'doctor',
      '--data-dir',
      (await directory).path,
      ...log,
      '--log-strict',
      'true',
    ]);
    expect(doctor.code).toBe(1);
    expect(doctor.out).toMatch(/unsafe +topic replication factor +P1 +1: losing brokers/);
    expect(doctor.out).toMatch(/ok +log retention +P4/);
  }, 180_000);

  it('names what is wrong with the settings, and ends with 78', async () => {
    const { path } = await directory;
    const finished = await run(['start', '--data-dir', `${path}/other`, '--no-demo', '--log-kind', 'kafka']);
    expect(finished.err).toContain('log.brokers must name at least one broker');
    expect(finished.code).toBe(78);
  }, 60_000);
});
