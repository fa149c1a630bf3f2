import { describe, expect, it } from 'vitest';
import { kafkaFault, mayTryAgain } from './faults.js';
import { produceRequest } from './produce-request.js';

const { request, response } = produceRequest('flows', 3, Buffer.from('batch'), 20_000);

function answer(errorCode: number): Buffer {
  const bytes = Buffer.alloc(4 + 2 + 5 + 4 + 4 + 2 + 8 + 16 + 4);
  bytes.writeInt32BE(1, 0);
  bytes.writeInt16BE(5, 4);
  bytes.write('flows', 6);
  bytes.writeInt32BE(1, 11);
  bytes.writeInt32BE(3, 15);
  bytes.writeInt16BE(errorCode, 19);
  bytes.writeBigInt64BE(41n, 21);
  return bytes;
}

async function errorFor(errorCode: number): Promise<unknown> {
  return response.parse(await response.decode(answer(errorCode))).catch((error: unknown) => error);
}

describe('a produce request', () => {
  it('asks for all replicas and holds one batch for one partition', async () => {
    const { buffer } = await request.encode();
    const expected =
      'ffff' + 'ffff' + '00004e20' + '00000001' + '0005' + Buffer.from('flows').toString('hex');
    const batch = '00000001' + '00000003' + '00000005' + Buffer.from('batch').toString('hex');
    expect(buffer.toString('hex')).toBe(expected + batch);
    expect([request.apiKey, request.apiVersion]).toEqual([0, 7]);
  });

  it('reads where the batch begins', async () => {
    const read = await response.parse(await response.decode(answer(0)));
    expect(read.topics).toEqual([
      { topicName: 'flows', partitions: [{ partition: 3, errorCode: 0, baseOffset: 41n }] },
    ]);
  });

  it('takes no answer that is cut off', async () => {
    await expect(response.decode(answer(0).subarray(0, 30))).rejects.toThrow(RangeError);
  });

  it.each([
    [6, 'NOT_LEADER_FOR_PARTITION', true],
    [7, 'REQUEST_TIMED_OUT', true],
    [10, 'MESSAGE_TOO_LARGE', false],
    [29, 'TOPIC_AUTHORIZATION_FAILED', false],
    [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER', false],
    [9999, 'ERROR_9999', false],
  ])('tells error %i apart as %s', async (code, type, again) => {
    const error = await errorFor(code);
    expect(error).toMatchObject({ type });
    expect(mayTryAgain(error)).toBe(again);
  });

  it('names the faults that are not of the log', async () => {
    expect(kafkaFault('append', await errorFor(29)).code).toBe('FORBIDDEN');
    expect(kafkaFault('append', await errorFor(10)).code).toBe('TOO_LARGE');
    expect(kafkaFault('append', await errorFor(19))).toMatchObject({ code: 'LOG_UNAVAILABLE', retry: true });
  });
});
