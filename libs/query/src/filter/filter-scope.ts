import type { ParamBinder } from '../param-binder.js';
import type { Condition } from './condition.js';
import type { FilterColumns } from './filter-columns.js';

/** What the compilers of single fields share. */
export interface FilterScope {
  readonly columns: FilterColumns;
  readonly binder: ParamBinder;
  /** Placeholder of the tenant, for the subqueries on label sets and endpoints. */
  readonly tenant: string;
  /** First and last hour of the window, s since 1970; bounds the endpoint history. */
  readonly hours: { readonly first: bigint; readonly last: bigint };
  /** `matchInferred` of the filter at hand. */
  readonly inferred: boolean;
}

/** Compiles the values of one filter field, of which there is at least one. */
export type ListCompiler<Value> = (values: readonly Value[], scope: FilterScope) => Condition;
