import { describe, expect, it } from 'vitest';
import { epochOf, judgeTopic } from './topics.js';

const options = { retentionMs: 1_000, maxRecordBytes: 1_000 };
const sound = new Map([
  ['cleanup.policy', 'delete'],
  ['min.insync.replicas', '2'],
  ['unclean.leader.election.enable', 'false'],
  ['retention.ms', '-1'],
  ['message.timestamp.type', 'LogAppendTime'],
  ['max.message.bytes', '1000'],
]);

describe('judgeTopic', () => {
  it('finds nothing in a sound topic', () => {
    expect(judgeTopic(sound, 3, options)).toEqual([]);
  });

  it.each([
    ['cleanup.policy', 'compact'],
    ['min.insync.replicas', '1'],
    ['unclean.leader.election.enable', 'true'],
    ['retention.ms', '999'],
    ['message.timestamp.type', 'CreateTime'],
    ['max.message.bytes', '999'],
  ])('names %s = %s with what it breaks', (setting, value) => {
    const findings = judgeTopic(new Map([...sound, [setting, value]]), 3, options);
    expect(findings.map((finding) => [finding.setting, finding.found])).toEqual([[setting, value]]);
    expect(findings[0]?.breaks).not.toBe('');
  });

  it('asks for three replicas', () => {
    expect(judgeTopic(sound, 2, options).map(({ setting }) => setting)).toEqual(['replication factor']);
  });
});

describe('epochOf', () => {
  it('is positive, stays, and differs with the topic’s creation and with the cluster', () => {
    const id = Buffer.alloc(16, 7);
    const epoch = epochOf('cluster', id);
    expect(epoch > 0n && epoch < 1n << 63n).toBe(true);
    expect(epochOf('cluster', Buffer.from(id))).toBe(epoch);
    expect(epochOf('cluster', Buffer.alloc(16, 8))).not.toBe(epoch);
    expect(epochOf('another', id)).not.toBe(epoch);
  });
});
