import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { labelSetHash } from './label-set.js';

describe('the label-set hash', () => {
  it('does not depend on order or repetition', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (labels) => {
        const shuffled = [...labels, ...labels].toSorted((a, b) => a.length - b.length || (a < b ? 1 : -1));
        expect(labelSetHash(shuffled)).toBe(labelSetHash(labels));
      }),
    );
  });

  it('tells sets apart, also where the same characters are cut differently', () => {
    const sets = [['ab', 'c'], ['a', 'bc'], ['abc'], ['a'], [''], ['a', '']];
    expect(new Set(sets.map(labelSetHash)).size).toBe(sets.length);
  });

  it('is 0 for no labels, and never changes between versions', () => {
    expect(labelSetHash([])).toBe(0n);
    expect(labelSetHash(['k8s:app=cart', 'k8s:io.kubernetes.pod.namespace=shop'])).toBe(GOLDEN);
  });
});

/** Made by a second implementation: label sets already stored must be found again. */
const GOLDEN = 3_369_728_036_335_386_286n;
