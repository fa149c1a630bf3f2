import { join } from 'node:path';

/** Where things lie under the log's directory. Numbers are zero-padded so that name order is number order. */
export interface PartitionPaths {
  readonly directory: string;
  readonly head: string;
  segment(base: bigint): string;
  index(base: bigint): string;
}

const SEGMENT_SUFFIX = '.seg';
const SEGMENT_NAME = /^(\d{20})\.seg$/;
const GENERATION_NAME = /^g(\d{12})$/;

function partitionName(partition: number): string {
  return `p${String(partition).padStart(5, '0')}`;
}

/** The file that holds epoch and partition count. */
export function metaPath(directory: string): string {
  return join(directory, 'meta.json');
}

/** Root of the generation directories that decide who is the one writer. */
export function writerLockPath(directory: string): string {
  return join(directory, 'writer');
}

/** Root of the generation directories of one consumer group. */
export function groupPath(directory: string, group: string): string {
  return join(directory, 'groups', group);
}

/** Paths of one partition. A segment file is named by its base offset, its sparse index beside it. */
export function partitionPaths(directory: string, partition: number): PartitionPaths {
  const root = join(directory, partitionName(partition));
  const stem = (base: bigint): string => join(root, base.toString().padStart(20, '0'));
  return {
    directory: root,
    head: join(root, 'head'),
    segment: (base) => `${stem(base)}${SEGMENT_SUFFIX}`,
    index: (base) => `${stem(base)}.idx`,
  };
}

/** Base offsets of the segment files among `names`, ascending; other names are ignored. */
export function segmentBases(names: readonly string[]): bigint[] {
  const bases: bigint[] = [];
  for (const name of names) {
    const digits = SEGMENT_NAME.exec(name)?.[1];
    if (digits !== undefined) bases.push(BigInt(digits));
  }
  return bases.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Directory name of one generation of a lock. */
export function generationName(generation: number): string {
  return `g${String(generation).padStart(12, '0')}`;
}

/** Generations among `names`, ascending; other names are ignored. */
export function generationsIn(names: readonly string[]): number[] {
  const generations: number[] = [];
  for (const name of names) {
    const digits = GENERATION_NAME.exec(name)?.[1];
    if (digits !== undefined) generations.push(Number(digits));
  }
  return generations.sort((a, b) => a - b);
}

/** File name of a committed offset inside a generation directory. */
export function offsetName(partition: number): string {
  return partitionName(partition);
}
