import type { FlowFilter } from '../filter/flow-filter.js';

/** One event of a recorded case. */
export interface FilterEvent {
  readonly kind: 'flow' | 'agent_event' | 'lost_event' | 'nil_event' | 'empty_event';
  readonly value?: unknown;
  readonly want: boolean;
}

/** One recorded case of upstream's filter tests. */
export interface FilterCase {
  readonly id: string;
  readonly filters: readonly Readonly<Record<string, unknown>>[];
  readonly mode: 'match_one' | 'match_none';
  readonly want_error: boolean;
  readonly events: readonly FilterEvent[];
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function lowerKeys(value: unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(record(value)).map(([key, flag]) => [key.toLowerCase(), flag]));
}

function eventType(value: unknown): Readonly<Record<string, unknown>> {
  const { type, match_sub_type: matches, sub_type: subType } = record(value);
  return matches === true ? { type: type ?? 0, subType: subType ?? 0 } : { type: type ?? 0 };
}

/** The API's form of a filter in protobuf JSON. */
export function toFlowFilter(recorded: Readonly<Record<string, unknown>>): FlowFilter {
  const entries = Object.entries(recorded).map(([name, values]): [string, unknown] => {
    if (name === 'experimental') return ['celExpression', record(values)['cel_expression']];
    if (name === 'event_type') return ['eventType', list(values).map(eventType)];
    if (name === 'tcp_flags') return ['tcpFlags', list(values).map(lowerKeys)];
    if (name === 'traffic_direction')
      return [
        camel(name),
        list(values).map((value) => String(value).replace('TRAFFIC_DIRECTION_UNKNOWN', 'UNKNOWN')),
      ];
    return [camel(name), values];
  });
  return Object.fromEntries(entries);
}
