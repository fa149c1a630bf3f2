import { buildSchema, isEnumType, isInputObjectType, isObjectType, validateSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { FILTER_FIELDS, flowFilterSdl } from '@flowledger/model';
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

  it('lists the error codes that the server knows', () => {
    const type = schema.getType('ErrorCode');
    expect(isEnumType(type) ? type.getValues().map((v) => v.name) : []).toEqual([...API_ERROR_CODES]);
  });

  it('explains every question', () => {
    const fields = Object.values(schema.getQueryType()?.getFields() ?? {});
    expect(fields.filter((field) => (field.description ?? '') === '').map((field) => field.name)).toEqual([]);
  });

  it('has coverage beside every answer that counts or lists', () => {
    for (const name of ['FlowConnection', 'RedResult', 'DropResult', 'ServiceMap']) {
      const type = schema.getType(name);
      expect(isObjectType(type) ? String(type.getFields()['coverage']?.type) : '').toBe('Coverage!');
    }
  });
});
