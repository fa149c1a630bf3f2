import { describe, expect, it } from 'vitest';
import { storeError } from '@flowledger/column-store';
import { AppError } from '@flowledger/platform';
import { storeFault } from './store-fault.js';

const engine = (code: number) => new Error(`Code: ${code}. DB::Exception: no (NO)`);

describe('storeFault', () => {
  it.each([
    [6, 'content'],
    [53, 'content'],
    [117, 'content'],
    [60, 'blocked'],
    [16, 'blocked'],
    [497, 'blocked'],
    [241, 'uncertain'],
    [252, 'uncertain'],
    [999, 'uncertain'],
    [424242, 'uncertain'],
  ])('takes an insert that ended with ClickHouse code %i for %s', (code, kind) => {
    expect(storeFault(storeError('insert', 'insert', engine(code)))).toBe(kind);
  });

  it('knows a request that never arrived', () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    expect(storeFault(storeError('insert', 'insert', refused))).toBe('unreached');
    expect(storeFault(storeError('insert', 'insert', new Error('socket hang up')))).toBe('uncertain');
  });

  it('never takes a defect or a lost lease for the store’s', () => {
    expect(storeFault(new TypeError('undefined is not a function'))).toBe('ours');
    expect(storeFault(new AppError('LEASE_LOST', 'gone', { retry: false }))).toBe('ours');
    expect(storeFault(new AppError('CANCELLED', 'stop', { retry: false }))).toBe('ours');
  });
});
