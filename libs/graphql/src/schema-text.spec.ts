import { buildSchema, isEnumType, isInputObjectType, isObjectType, validateSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { FILTER_FIELDS, flowFilterSdl } from '@flowledger/model';
import { hintFieldSdl } from '@flowledger/query';
import { API_ERROR_CODES } from './errors/request-error.js';
import { schemaText } from './schema-text.js';

const schema = buildSchema(schemaText());

describe('the schema', () => {
  it('is valid and closed', () => {
    expect(validateSchema(schema)).toEqual([]);
  });

  // `vitest run libs/graphql -u` writes the file anew after the field table changed.
  it('has the FlowFilter that the field table generates', async () => {
    await expect(flowFilterSdl()).toMatchFileSnapshot('../schema/flow-filter.graphql');
    const input = schema.getType('FlowFilter');
    expect(isInputObjectType(input) ? Object.keys(input.getFields()) : []).toEqual(
      FILTER_FIELDS.map((f) => f.name),
    );
  });

  it('has the fields with hints that their table generates', async () => {
    await expect(hintFieldSdl()).toMatchFileSnapshot('../schema/hint-field.graphql');
    const inputs = new Set(FILTER_FIELDS.map((field) => field.name));
    const type = schema.getType('HintField');
    const names = isEnumType(type) ? type.getValues().map((value) => value.name) : [];
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !inputs.has(name))).toEqual([]);
  });

  it('lists the error codes that the server knows', () => {
    const type = schema.getType('ErrorCode');
    expect(isEnumType(type) ? type.getValues().map((v) => v.name) : []).toEqual([...API_ERROR_CODES]);
  });

  it('explains every question', () => {
    const fields = Object.values(schema.getQueryType()?.getFields() ?? {});
    expect(fields.filter((field) => (field.description ?? '') === '').map((field) => field.name)).toEqual([]);
  });

  it('has coverage beside every answer that counts or lists', () => {
    for (const name of ['FlowConnection', 'RedResult', 'DropResult', 'ServiceMap', 'FilterHints']) {
      const type = schema.getType(name);
      expect(isObjectType(type) ? String(type.getFields()['coverage']?.type) : '').toBe('Coverage!');
    }
  });
});
