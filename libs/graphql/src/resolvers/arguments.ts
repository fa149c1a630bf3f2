import type { FlowFilters, GroupBy, WindowRequest } from '@flowledger/query';

/** `WindowInput` as GraphQL hands it over: scalars are bigints in ns. */
export interface WindowArgument {
  readonly from?: bigint | null;
  readonly to?: bigint | null;
  readonly last?: bigint | null;
}

/** Arguments that most questions share. */
export interface QuestionArguments {
  readonly window?: WindowArgument | null;
  readonly filters?: FlowFilters | null;
}

export interface GroupedArguments extends QuestionArguments {
  readonly groupBy: readonly GroupBy[];
  readonly step?: bigint | null;
  readonly limit?: number | null;
}

/** The planner's form of a window argument. */
export function windowRequest(window: WindowArgument | null | undefined): WindowRequest {
  return { fromNs: window?.from ?? null, toNs: window?.to ?? null, lastNs: window?.last ?? null };
}
