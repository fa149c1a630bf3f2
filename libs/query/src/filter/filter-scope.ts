import type { EndpointHistory } from './endpoint-history.js';
import type { FilterColumns } from './filter-columns.js';
import type { ParsedField } from './flow-test.js';
import type { ParamBinder } from '../param-binder.js';

/** What the SQL renderings of single tests share. */
export interface FilterScope {
  readonly columns: FilterColumns;
  readonly binder: ParamBinder;
  /** Placeholder of the tenant, for the subqueries on label sets and endpoints. */
  readonly tenant: string;
  /** First and last hour of the window, s since 1970; bounds the endpoint history. */
  readonly hours: { readonly first: bigint; readonly last: bigint };
}

/** How the values of a filter are to be understood. */
export interface FilterTerms {
  /** Source and destination are the client and the server of a call, as in everything that groups. */
  readonly calls: boolean;
  /** `matchInferred` of the filter at hand. */
  readonly inferred: boolean;
  /** What answers `matchInferred` in memory; undefined = nothing does. SQL asks the table itself. */
  readonly history: EndpointHistory | 'table' | undefined;
}

/** Parses the values of one filter field, of which there is at least one. */
export type FieldParser<Value> = (values: readonly Value[], terms: FilterTerms) => ParsedField;
