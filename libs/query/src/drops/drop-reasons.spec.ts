import { DROP_REASON } from '@flowledger/model';
import { describe, expect, it } from 'vitest';
import { dropReasonReference } from './drop-reason-reference.js';
import { dropReasonsText, dropReasonText } from './drop-reasons.js';

const NUMBERS = Object.keys(DROP_REASON.names).map(Number);

describe('the texts of drop reasons', () => {
  it('cover every reason that Hubble names', () => {
    expect(NUMBERS).toHaveLength(76);
    for (const number of NUMBERS) {
      const reason = dropReasonText(number);
      expect(reason.name).toBe(DROP_REASON.names[number]);
      expect(reason.text).not.toContain('newer than this version');
    }
  });

  it('give a remedy for every failure and none for what was handled elsewhere', () => {
    const handled = NUMBERS.filter((number) => !dropReasonText(number).failure);
    expect(handled).toEqual([199, 200, 201, 205]);
    const without = NUMBERS.filter((number) => dropReasonText(number).remedy === null);
    expect(without).toEqual(handled);
  });

  it('say what 136 and 161 mean today, not what their names say', () => {
    expect(dropReasonText(136).text).toContain('larger than the path allows');
    expect(dropReasonText(161).text).toContain('NAT46/64');
  });

  it('keep a number that is newer than the table', () => {
    expect(dropReasonText(9999)).toMatchObject({ number: 9999, name: null, remedy: null, failure: true });
    expect(dropReasonText(9999).text).toContain('9999');
  });

  it('name the most frequent reason of a mixed group and count the others', () => {
    const { text, remedy } = dropReasonsText(
      new Map([
        [133, 2n],
        [181, 5n],
        [158, 0n],
        [196, 1n],
      ]),
    );
    expect(text).toMatch(/^POLICY_DENY: .*and 2 other reasons\)$/);
    expect(remedy).toBe(dropReasonText(181).remedy);
  });
});

describe('the page of drop reasons', () => {
  it('has one row a reason, by number', () => {
    const rows = dropReasonReference()
      .split('\n')
      .filter((line) => /^\| \d/.test(line));
    const numbers = rows.map((row) => Number(/^\| (\d+)/.exec(row)?.[1]));
    expect(numbers).toEqual(NUMBERS.toSorted((a, b) => a - b));
    expect(rows.every((row) => row.split('|').length === 6)).toBe(true);
    expect(rows.filter((row) => row.includes('not a failure'))).toHaveLength(4);
  });
});
