/** A copy of `array` with twice the room. */
export function doubled(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(Math.max(64, array.length * 2));
  next.set(array);
  return next;
}
