import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { announceSkip } from '../skipped-service.js';
import { findKafka, startTestKafka, type TestKafka } from './test-kafka.js';

const source = await findKafka();
if (source.kind === 'none') announceSkip('Apache Kafka', source.reason, 'anywhere');

describe.runIf(source.kind === 'jvm')('a broker of the test kit', () => {
  let kafka: TestKafka;
  beforeAll(async () => {
    if (source.kind === 'jvm') kafka = await startTestKafka(source);
  }, 300_000);
  afterAll(() => kafka?.stop());

  it('comes back under the same address after it was killed', async () => {
    const broker = kafka.process;
    if (broker === undefined) throw new Error('not a process');
    const first = broker.pid;
    await broker.kill();
    await broker.restart();
    expect(broker.pid).not.toBe(first);
    expect(kafka.brokers).toEqual([broker.address]);
  });
});
