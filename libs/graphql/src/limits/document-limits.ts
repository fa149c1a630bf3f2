import {
  Kind,
  type ASTVisitor,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLError,
  type SelectionSetNode,
  type ValidationContext,
  visit,
} from 'graphql';
import { requestError } from '../errors/request-error.js';
import type { Limits } from './limits.js';

type Bounds = Pick<Limits, 'depth' | 'aliases' | 'directives' | 'fragments' | 'fields'>;

/** How large a document is. `depth` and `fields` are of its largest operation, fragments expanded. */
export interface DocumentSize {
  readonly depth: number;
  readonly fields: number;
  readonly aliases: number;
  readonly directives: number;
  readonly fragments: number;
}

interface Extent {
  readonly depth: number;
  readonly fields: number;
}

/**
 * Validation rule that reports every bound a document breaks (TOO_DEEP, TOO_COSTLY). Introspection is measured by
 * graphql-js's own rule. A fragment cycle counts as zero here; the standard rules report it.
 */
export function documentLimits(bounds: Bounds): (context: ValidationContext) => ASTVisitor {
  return (context) => ({
    Document(document) {
      for (const error of breaches(measureDocument(document), bounds)) context.reportError(error);
      return false;
    },
  });
}

/** Measures in one pass over the text: a fragment is measured once, however often it is spread. */
export function measureDocument(document: DocumentNode): DocumentSize {
  const fragments = new Map<string, FragmentDefinitionNode>();
  let [aliases, directives] = [0, 0];
  visit(document, {
    FragmentDefinition: (node) => void fragments.set(node.name.value, node),
    Field: (node) => void (aliases += node.alias === undefined ? 0 : 1),
    Directive: () => void (directives += 1),
  });
  const extents = new Map<string, Extent>();
  let [depth, fields] = [0, 0];
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const extent = extentOf(definition.selectionSet, fragments, extents, new Set());
    depth = Math.max(depth, extent.depth);
    fields = Math.max(fields, extent.fields);
  }
  return { depth, fields, aliases, directives, fragments: fragments.size };
}

function extentOf(
  set: SelectionSetNode | undefined,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  known: Map<string, Extent>,
  open: Set<string>,
): Extent {
  let [depth, fields] = [0, 0];
  const take = (extent: Extent, own: number): void => {
    depth = Math.max(depth, extent.depth + own);
    fields = Math.min(Number.MAX_SAFE_INTEGER, fields + extent.fields + own);
  };
  for (const selection of set?.selections ?? []) {
    if (selection.kind === Kind.FIELD) {
      if (!selection.name.value.startsWith('__'))
        take(extentOf(selection.selectionSet, fragments, known, open), 1);
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      take(extentOf(selection.selectionSet, fragments, known, open), 0);
    } else {
      take(spreadExtent(selection.name.value, fragments, known, open), 0);
    }
  }
  return { depth, fields };
}

function spreadExtent(
  name: string,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  known: Map<string, Extent>,
  open: Set<string>,
): Extent {
  const done = known.get(name);
  if (done !== undefined) return done;
  if (open.has(name)) return { depth: 0, fields: 0 };
  open.add(name);
  const extent = extentOf(fragments.get(name)?.selectionSet, fragments, known, open);
  open.delete(name);
  known.set(name, extent);
  return extent;
}

function breaches(size: DocumentSize, bounds: Bounds): GraphQLError[] {
  const errors: GraphQLError[] = [];
  if (size.depth > bounds.depth) {
    errors.push(
      requestError('TOO_DEEP', `the query has ${size.depth} levels of fields, ${bounds.depth} are allowed`),
    );
  }
  for (const what of ['aliases', 'directives', 'fragments', 'fields'] as const) {
    if (size[what] <= bounds[what]) continue;
    errors.push(
      requestError('TOO_COSTLY', `the query has ${size[what]} ${what}, ${bounds[what]} are allowed`),
    );
  }
  return errors;
}
