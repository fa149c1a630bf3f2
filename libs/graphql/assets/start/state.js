// What the page knows: one window, one answer, one choice.

export const WINDOWS = [
  { last: '15m', step: '1m', text: '15 m' },
  { last: '1h', step: '1m', text: '1 h' },
  { last: '6h', step: '5m', text: '6 h' },
  { last: '24h', step: '30m', text: '24 h' },
];

function savedWindow() {
  const last = new URLSearchParams(location.hash.slice(1)).get('last');
  return WINDOWS.find((w) => w.last === last) ?? WINDOWS[1];
}

export const state = {
  window: savedWindow(),
  /** Draw DNS, health probes and the host too. */
  system: false,
  /** {kind: 'node' | 'edge', id} of what was chosen in the map. */
  chosen: undefined,
  /** Explanations of drops by edge, for the chosen window. */
  explained: new Map(),
  answer: undefined,
  asking: undefined,
};
