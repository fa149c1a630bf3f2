import { addressText, inRange, parseAddressRange, V4_BLOCK } from './address-range.js';
import type { AddressRange } from './address-range.js';
import type { FilterScope } from './filter-scope.js';
import { leaf } from './leaf-tests.js';
import { refused } from './flow-test.js';
import type { ParsedField } from './flow-test.js';
import type { Subject } from './subjects.js';

function between(column: string, range: AddressRange, { binder }: FilterScope): string {
  const bind = (address: bigint) => binder.bind('IPv6', addressText(address));
  return range.low === range.high
    ? `${column} = ${bind(range.low)}`
    : `${column} BETWEEN ${bind(range.low)} AND ${bind(range.high)}`;
}

function inside(column: string, range: AddressRange, scope: FilterScope): string {
  const parts = [between(column, range, scope)];
  if (range.aroundV4) parts.push(`NOT (${between(column, V4_BLOCK, scope)})`);
  // `::` is also what the column holds when the flow has no address.
  if (range.low === 0n) parts.push(`(${column} != toIPv6('::') OR ip_version = 2)`);
  return parts.join(' AND ');
}

/** The address is this, or lies in this block; compared as addresses. A flow without one never matches. */
export function addressIn(subject: Subject<string | null>, value: string): ParsedField {
  const range = parseAddressRange(value);
  if (range === undefined) return refused('an IP address or a CIDR block');
  const lies = inRange(range);
  return leaf(
    subject,
    (column, scope) => inside(column, range, scope),
    (text) => text !== null && lies(text),
  );
}
