import { GraphQLError, Kind, type FieldNode } from 'graphql';
import { describe, expect, it } from 'vitest';
import { AppError, type ErrorCode } from '@flowledger/platform';
import { publicErrors } from './public-error.js';
import { requestError } from './request-error.js';

const SECRET = 'connect 10.1.2.3:8123: SELECT * FROM flows';

function tell(cause: Error): ReturnType<typeof publicErrors>[number] {
  const [error] = publicErrors(new GraphQLError(cause.message, { originalError: cause }), 'r-1', false);
  if (error === undefined) throw new Error('no error');
  return error;
}

describe('publicErrors', () => {
  it.each<[ErrorCode, string, boolean]>([
    ['STORE_UNAVAILABLE', 'STORE_UNAVAILABLE', true],
    ['STORE_UNCERTAIN', 'STORE_UNAVAILABLE', true],
    ['TIMEOUT', 'TIMEOUT', true],
    ['TOO_LARGE', 'WINDOW_TOO_WIDE', false],
    ['INVALID_ARGUMENT', 'BAD_FILTER', false],
    ['OVERLOADED', 'RATE_LIMITED', true],
    ['STORE_REJECTED', 'INTERNAL', false],
    ['INTERNAL', 'INTERNAL', false],
  ])('turns a fault %s into %s without its text', (code, expected, retryable) => {
    const error = tell(new AppError(code, SECRET, { retry: true, cause: new Error(SECRET) }));
    expect(error.extensions).toMatchObject({ code: expected, retryable, requestId: 'r-1' });
    expect(JSON.stringify(error)).not.toContain('10.1.2.3');
    expect(JSON.stringify(error)).not.toContain('SELECT');
  });

  it('tells nothing of an unexpected error but its request id', () => {
    expect(tell(new TypeError(SECRET))).toEqual({
      message: 'the request failed for a reason on our side',
      extensions: { code: 'INTERNAL', retryable: false, requestId: 'r-1' },
    });
  });

  it('keeps field and hint of a refusal', () => {
    const error = tell(
      requestError('BAD_FILTER', 'not an address', { field: 'filters.allow[0].sourceIp', hint: 'a CIDR' }),
    );
    expect(error).toMatchObject({
      message: 'not an address',
      extensions: {
        code: 'BAD_FILTER',
        field: 'filters.allow[0].sourceIp',
        hint: 'a CIDR',
        retryable: false,
      },
    });
  });

  it('does not pass on extensions that are not ours', () => {
    const error = tell(
      new GraphQLError('x', { extensions: { code: 'BAD_FILTER', exception: { stack: SECRET } } }),
    );
    expect(Object.keys(error.extensions).toSorted()).toEqual(['code', 'requestId', 'retryable']);
  });

  it('tells every error of a validation, without names of the schema that the caller did not write', () => {
    const wrapper = Object.assign(new Error('validation'), {
      statusCode: 400,
      errors: [
        new GraphQLError('Cannot query field "flowz" on type "Query". Did you mean "flows"?'),
        new GraphQLError('b'),
      ],
    });
    const errors = publicErrors(new GraphQLError('', { originalError: wrapper }), 'r-1', false);
    expect(errors.map((e) => [e.extensions.code, e.message])).toEqual([
      ['BAD_REQUEST', 'Cannot query field "flowz" on type "Query".'],
      ['BAD_REQUEST', 'b'],
    ]);
    const kept = publicErrors(new GraphQLError('', { originalError: wrapper }), 'r-1', true);
    expect(kept[0]?.message).toContain('Did you mean');
  });

  it('blames a broken answer on us, a bad argument on the caller', () => {
    const field: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: 'flows' } };
    const ours = publicErrors(new GraphQLError('Int cannot represent', { nodes: field }), 'r', false);
    expect(ours[0]?.extensions.code).toBe('INTERNAL');
    const theirs = publicErrors(new GraphQLError('Argument', { nodes: { kind: Kind.NULL } }), 'r', false);
    expect(theirs[0]?.extensions.code).toBe('BAD_REQUEST');
  });
});
