import { FLOW_FIELDS, type FieldSpec } from './fields.js';
import { FIELDS_WITHOUT_COLUMN } from './fields-without-column.js';

/** docs/reference/fields.md, whole: every column of `flows`, and every proto field that has none, with the reason. */
export function fieldReference(): string {
  return [
    '# Fields of a flow',
    '',
    'Generated from `libs/model/src/fields.ts` by `npm run docs`; do not edit.',
    '',
    'One row a column of `flows`. `proto` is the path and the field numbers in `flow.Flow`; a dash marks what is derived.',
    '',
    '| column | type | proto | meaning | filters |',
    '| --- | --- | --- | --- | --- |',
    ...FLOW_FIELDS.map(row),
    '',
    '## Fields without a column',
    '',
    'Their bytes are kept in `extra`, in the order sent, so nothing is lost.',
    '',
    '| field | numbers | reason |',
    '| --- | --- | --- |',
    ...FIELDS_WITHOUT_COLUMN.map(
      (field) => `| \`${field.proto}\` | ${field.numbers} | ${cell(field.reason)} |`,
    ),
    '',
  ].join('\n');
}

function row(field: FieldSpec): string {
  const proto = field.proto === null ? '–' : `\`${field.proto}\` (${field.numbers ?? ''})`;
  const meaning = field.unit === undefined ? field.meaning : `${field.meaning} [${field.unit}]`;
  const filters = (field.filters ?? []).map((name) => `\`${name}\``).join(', ');
  return `| \`${field.column}\` | \`${field.stored ?? field.type}\` | ${proto} | ${cell(meaning)} | ${filters} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
