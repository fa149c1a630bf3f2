import { AppError } from '@flowledger/platform';
import { describe, expect, it } from 'vitest';
import { storeError } from './store-errors.js';

const fromServer = (code: number) => Object.assign(new Error('text'), { code: String(code), type: 'NAME' });
const fromSocket = (code: string) => Object.assign(new Error('text'), { code });
const outcome = (...args: Parameters<typeof storeError>) => {
  const { code, retry } = storeError(...args);
  return { code, retry };
};

describe('storeError', () => {
  it.each([6, 26, 27, 33, 53, 117, 131, 349])('says an insert was refused for certain on code %i', (code) => {
    expect(outcome('insert', 'x', fromServer(code))).toEqual({ code: 'STORE_REJECTED', retry: false });
  });

  it.each([159, 202, 203, 209, 210, 236, 241, 242, 243, 252, 285, 319, 394, 425, 999, 60, 16, 424242])(
    'says an insert may have been applied on code %i',
    (code) => {
      expect(outcome('insert', 'x', fromServer(code))).toEqual({ code: 'STORE_UNCERTAIN', retry: true });
    },
  );

  it.each([
    [159, 'TIMEOUT', true],
    [158, 'TOO_LARGE', false],
    [241, 'TOO_LARGE', false],
    [307, 'TOO_LARGE', false],
    [396, 'TOO_LARGE', false],
    [427, 'INVALID_ARGUMENT', false],
    [457, 'INVALID_ARGUMENT', false],
    [60, 'NOT_FOUND', false],
    [516, 'UNAUTHENTICATED', false],
    [497, 'FORBIDDEN', false],
    [202, 'OVERLOADED', true],
    [999, 'STORE_UNAVAILABLE', true],
    [62, 'STORE_REJECTED', false],
  ])('names what a read failed of on code %i', (number, code, retry) => {
    expect(outcome('query', 'x', fromServer(number))).toEqual({ code, retry });
  });

  it('knows that nothing was sent when no connection was made', () => {
    expect(outcome('insert', 'x', fromSocket('ECONNREFUSED'))).toEqual({
      code: 'STORE_UNAVAILABLE',
      retry: true,
    });
    const both = new AggregateError([fromSocket('ECONNREFUSED'), fromSocket('ECONNREFUSED')]);
    expect(outcome('insert', 'x', both)).toEqual({ code: 'STORE_UNAVAILABLE', retry: true });
  });

  it('does not know what became of an insert whose connection broke', () => {
    expect(outcome('insert', 'x', fromSocket('ECONNRESET'))).toEqual({
      code: 'STORE_UNCERTAIN',
      retry: true,
    });
    expect(outcome('query', 'x', fromSocket('ECONNRESET'))).toEqual({
      code: 'STORE_UNAVAILABLE',
      retry: true,
    });
  });

  it('tells giving up from being refused', () => {
    expect(outcome('insert', 'x', new Error('aborted'), 'timeout')).toEqual({
      code: 'STORE_UNCERTAIN',
      retry: true,
    });
    expect(outcome('query', 'x', new Error('aborted'), 'timeout')).toEqual({ code: 'TIMEOUT', retry: true });
    expect(outcome('query', 'x', new Error('aborted'), 'cancelled')).toEqual({
      code: 'CANCELLED',
      retry: false,
    });
  });

  it('reads an exception out of an answer that began well', () => {
    const text = 'Code: 27. DB::Exception: Cannot parse input. (CANNOT_PARSE_INPUT_ASSERTION_FAILED)';
    expect(storeError('insert', 'x', text)).toMatchObject({ code: 'STORE_REJECTED', details: { code: 27 } });
  });

  it('passes its own faults through', () => {
    const fault = new AppError('INTERNAL', 'y', { retry: false });
    expect(storeError('insert', 'x', fault)).toBe(fault);
  });
});
