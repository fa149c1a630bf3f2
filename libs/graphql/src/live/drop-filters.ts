import { requestError } from '../errors/request-error.js';
import type { FlowFilters } from '@flowledger/query';

const DROP_EVENT = 1;

/** The filters and "is a drop event". Throws BAD_FILTER when a filter can only match other events. */
export function dropFilters(filters: FlowFilters | null | undefined): FlowFilters {
  const allow = filters?.allow ?? [];
  const drops = (allow.length === 0 ? [{}] : allow).flatMap((filter) => {
    const types = filter.eventType ?? [];
    if (types.length === 0) return [{ ...filter, eventType: [{ type: DROP_EVENT }] }];
    const kept = types.filter(({ type }) => type === DROP_EVENT || type === 0);
    if (kept.length === 0) return [];
    return [{ ...filter, eventType: kept.map((one) => ({ ...one, type: DROP_EVENT })) }];
  });
  if (drops.length === 0)
    throw requestError('BAD_FILTER', 'filters.allow: drops are events of type 1', { field: 'filters.allow' });
  return { ...filters, allow: drops };
}
