// Numbers and times for people. Null is unknown and shown as a dash, 0 is shown as 0.

const DASH = '–';

export function count(value) {
  if (value === null || value === undefined) return DASH;
  if (value < 10_000) return value.toLocaleString('en');
  if (value < 1e6) return `${trim(value / 1e3)}k`;
  return value < 1e9 ? `${trim(value / 1e6)}M` : `${trim(value / 1e9)}G`;
}

export function rate(value) {
  if (value === null || value === undefined) return DASH;
  return value === 0 ? '0' : value < 0.01 ? '<0.01' : trim(value);
}

export function percent(ratio) {
  if (ratio === null || ratio === undefined) return DASH;
  if (ratio > 0 && ratio < 0.0001) return '<0.01 %';
  return `${trim(ratio * 100)} %`;
}

export function millis(value) {
  if (value === null || value === undefined) return DASH;
  if (value >= 1000) return `${trim(value / 1000)} s`;
  return value < 1 ? `${Math.round(value * 1000)} µs` : `${trim(value)} ms`;
}

export function duration(ms) {
  const minutes = Math.floor(ms / 60_000);
  return minutes < 60 ? `${minutes} m` : `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}

/** Local time; with the day when it is not today. */
export function time(text) {
  const date = new Date(text);
  const clock = date.toLocaleTimeString('en-GB');
  if (date.toDateString() === new Date().toDateString()) return clock;
  return `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${clock}`;
}

/** Value of one part of a group's key; empty when it is unknown. */
export function key(group, dimension, side) {
  return (
    group.key.find((part) => part.dimension === dimension && (side === 'NONE' || part.side === side))
      ?.value ?? ''
  );
}

/** An enum name as words: POLICY_DENIED is `Policy denied`. */
export function words(name) {
  const text = name.replaceAll('_', ' ').toLowerCase();
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** Cilium’s own identities without their prefix. */
export function shortName(name) {
  return name.replace(/^reserved:/, '');
}

/** A colour that stays with a name. */
export function hueOf(name) {
  let hash = 7;
  for (const letter of name) hash = (hash * 31 + letter.codePointAt(0)) % 9973;
  return (hash * 47) % 360;
}

function trim(value) {
  if (value >= 100) return String(Math.round(value));
  return String(Number(value.toFixed(value >= 10 ? 1 : 2)));
}
