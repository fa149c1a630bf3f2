// One process of a test: `append DIRECTORY SEED`, `consume DIRECTORY` or `follow DIRECTORY`. Prints one line a fact.
import { writeSync } from 'node:fs';
import { openEmbeddedLog } from '@flowledger/event-log';

const [task, directory, seed = '0'] = process.argv.slice(2);
// Synchronous, so that a line is out before the next step can be killed.
const say = (...words) => writeSync(1, `${words.join(' ')}\n`);

async function append() {
  const log = await openEmbeddedLog({ directory, mode: 'writer', partitions: 2, segmentBytes: 20_000 });
  say('ready');
  let serial = 0;
  const forever = async (lane) => {
    for (;;) {
      const text = `${seed}/${lane}/${serial++}`;
      const partition = serial % 2;
      const [position] = await log.append([
        { partition, events: 1, value: Buffer.from(text.padEnd(100 + lane * 300, '.')) },
      ]);
      say('ack', partition, position.offset, text);
    }
  };
  await Promise.all([forever(0), forever(1), forever(2)]);
}

async function consume() {
  const log = await openEmbeddedLog({ directory, mode: 'reader' });
  await log.consume(
    'loader',
    async (lease) => {
      let next = lease.committed?.offset ?? 0n;
      say('lease', lease.partition, lease.generation, next);
      while (!lease.signal.aborted) {
        const { records } = await lease.read(next, { maxBytes: 2_000, maxWaitMs: 1_000 });
        if (records.length === 0) continue;
        next += BigInt(records.length);
        await lease.commit({ offset: next, metadata: `${process.pid}` });
        say('committed', lease.partition, next);
      }
    },
    new AbortController().signal,
  );
}

async function follow() {
  const log = await openEmbeddedLog({ directory, mode: 'reader' });
  let next = 0n;
  for (;;) {
    const { records } = await log.read(0, next, { maxBytes: 10_000, maxWaitMs: 1_000 });
    for (const { offset, value } of records)
      say('saw', offset, Buffer.from(value).toString().replace(/\.+$/, ''));
    next += BigInt(records.length);
  }
}

await { append, consume, follow }[task]();
