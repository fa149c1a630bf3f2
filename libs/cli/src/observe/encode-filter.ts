import { AppError } from '@flowledger/platform';
import { flowFilterToProto, type FilterJson } from '@flowledger/query';

/** `flow.FlowFilter` of a filter in JSON. Throws INVALID_ARGUMENT naming the field for what the message does not have. */
export function encodeFilter(filter: FilterJson): Uint8Array {
  const bytes = flowFilterToProto(filter);
  if (bytes.ok) return bytes.value;
  const { field, hint } = bytes.error;
  throw new AppError('INVALID_ARGUMENT', `${field}: ${hint}`, { retry: false });
}
