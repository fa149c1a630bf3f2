import { decodeEnvelope, type EnvelopeHeader } from '../envelope.js';
import { shallowHubbleJson, shallowHubbleProto } from '../shallow.js';

/** Whole seconds since 1970, both ends included. */
export interface SecondRange {
  readonly first: number;
  readonly last: number;
}

/** An envelope whose events lie closer together than this is taken as one range. */
const NARROW_S = 600;
const SECOND_NS = 1_000_000_000n;

/**
 * The seconds in which the events of an envelope lie, by a shallow look. An envelope with a few stray times is not one
 * range over weeks: what is read from the store for it must stay in proportion to its events. Pure.
 */
export function secondsOf(value: Uint8Array, header: EnvelopeHeader): readonly SecondRange[] {
  const range = hullOf(header);
  if (range === undefined) return [];
  if (range.last - range.first <= NARROW_S) return [range];
  const envelope = decodeEnvelope(value);
  if (!envelope.ok) return [];
  const look = header.codec === 'hubble.export_json' ? shallowHubbleJson : shallowHubbleProto;
  const ranges: SecondRange[] = [];
  for (const event of envelope.value.events) {
    const { timeNs } = look(event);
    if (timeNs !== undefined) ranges.push({ first: secondOf(timeNs), last: secondOf(timeNs) });
  }
  return mergeRanges(ranges);
}

/** The seconds between the first and the last event of an envelope; undefined when none showed a time. */
export function hullOf({ firstTimeNs, lastTimeNs }: EnvelopeHeader): SecondRange | undefined {
  if (firstTimeNs === undefined || lastTimeNs === undefined) return undefined;
  return { first: secondOf(firstTimeNs), last: secondOf(lastTimeNs) };
}

/** The same seconds in as few ranges as possible, ascending. Pure. */
export function mergeRanges(ranges: readonly SecondRange[]): readonly SecondRange[] {
  const merged: { first: number; last: number }[] = [];
  for (const { first, last } of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before.last + 1) before.last = Math.max(before.last, last);
    else merged.push({ first, last });
  }
  return merged;
}

function secondOf(timeNs: bigint): number {
  return Number(timeNs / SECOND_NS);
}
