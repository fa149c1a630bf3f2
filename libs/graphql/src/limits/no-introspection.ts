import type { ASTVisitor, ValidationContext } from 'graphql';
import { requestError } from '../errors/request-error.js';

/** Validation rule that refuses (FORBIDDEN) questions about the schema; `__typename` is no such question. */
export function noIntrospection(context: ValidationContext): ASTVisitor {
  return {
    Field({ name }) {
      if (name.value !== '__schema' && name.value !== '__type') return;
      const hint = 'the schema is at GET /graphql/schema.graphql; see api.introspection';
      context.reportError(requestError('FORBIDDEN', 'introspection is not allowed here', { hint }));
    },
  };
}
