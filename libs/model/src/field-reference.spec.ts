import { expect, it } from 'vitest';
import { fieldReference } from './field-reference.js';
import { FLOW_FIELDS } from './fields.js';

it('has a line for every column, each with as many cells as the table', () => {
  const lines = fieldReference().split('\n');
  for (const { column } of FLOW_FIELDS) {
    const line = lines.find((one) => one.startsWith(`| \`${column}\` |`));
    expect(line?.split(/(?<!\\)\|/).length, column).toBe(7);
  }
});
