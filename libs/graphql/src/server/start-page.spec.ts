import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parse, buildSchema, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { schemaText } from '../schema-text.js';

const folder = new URL('../../assets/start/', import.meta.url);
const files = readdirSync(folder);
const text = (file: string): string => readFileSync(new URL(file, folder), 'utf8');

interface Point {
  readonly x: number;
  readonly y: number;
}
interface Edge {
  readonly id: string;
  readonly client: string;
  readonly server: string;
  readonly weight: number;
}
interface MapModule {
  layersOf(nodes: readonly { id: string }[], edges: readonly Edge[]): Map<string, number>;
  layout(
    nodes: readonly { id: string }[],
    edges: readonly Edge[],
  ): { positions: Map<string, Point>; routes: Map<string, Point[]>; width: number; height: number };
}
interface QueriesModule {
  readonly PAGE_QUERY: string;
  readonly LAST_DROP_QUERY: string;
  readonly EXPLAIN_QUERY: string;
  readonly EXAMPLES: {
    list(last: string): readonly { query: string }[];
    edgeFlows(client: object, server: object, last: string, droppedOnly: boolean): string;
    callersOf(node: object, last: string): string;
  };
}

const map = (await import(new URL('map.js', folder).href)) as MapModule;
const queries = (await import(new URL('queries.js', folder).href)) as QueriesModule;

const NODE = { width: 152, height: 46 };
const graphs = fc
  .record({
    size: fc.integer({ min: 1, max: 30 }),
    pairs: fc.array(fc.tuple(fc.nat(29), fc.nat(29), fc.nat(1000)), { maxLength: 60 }),
  })
  .map(({ size, pairs }) => ({
    nodes: Array.from({ length: size }, (_, i) => ({ id: `n${i}` })),
    edges: pairs.map(([a, b, weight], i) => ({
      id: `e${i}`,
      client: `n${a % size}`,
      server: `n${b % size}`,
      weight,
    })),
  }));

describe('the layout of the service map', () => {
  it('puts every node inside the picture and none on another, whatever the calls', () => {
    fc.assert(
      fc.property(graphs, ({ nodes, edges }) => {
        const { positions, width, height } = map.layout(nodes, edges);
        const boxes = nodes.map((node) => positions.get(node.id) ?? { x: Number.NaN, y: Number.NaN });
        for (const [i, box] of boxes.entries()) {
          expect(
            box.x >= 0 && box.x + NODE.width <= width && box.y >= 0 && box.y + NODE.height <= height,
          ).toBe(true);
          for (const other of boxes.slice(i + 1)) {
            const apart =
              Math.abs(box.x - other.x) >= NODE.width - 0.01 || Math.abs(box.y - other.y) >= NODE.height;
            expect(apart).toBe(true);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('does not depend on the order in which nodes and edges come', () => {
    fc.assert(
      fc.property(graphs, ({ nodes, edges }) => {
        const one = map.layersOf(nodes, edges);
        const other = map.layersOf(nodes.toReversed(), edges.toReversed());
        expect([...other].toSorted()).toEqual([...one].toSorted());
      }),
      { numRuns: 60 },
    );
  });

  it('draws callers above the called, and lets only the lightest edge of a cycle run upwards', () => {
    const edge = (client: string, server: string, weight: number): Edge => ({
      id: client + server,
      client,
      server,
      weight,
    });
    const nodes = ['web', 'shop', 'db'].map((id) => ({ id }));
    const layers = map.layersOf(nodes, [
      edge('web', 'shop', 90),
      edge('shop', 'db', 80),
      edge('db', 'web', 1),
    ]);
    expect([layers.get('web'), layers.get('shop'), layers.get('db')]).toEqual([0, 1, 2]);
  });
});

describe('the start page', () => {
  it('asks only what the schema answers', () => {
    const schema = buildSchema(schemaText());
    const node = { kind: 'workload', name: 'a"b', namespace: 'shop' };
    const all = [
      queries.PAGE_QUERY,
      queries.LAST_DROP_QUERY,
      queries.EXPLAIN_QUERY,
      queries.EXAMPLES.edgeFlows(node, node, '1h', true),
      queries.EXAMPLES.callersOf(node, '1h'),
      ...queries.EXAMPLES.list('1h').map((example) => example.query),
    ];
    for (const query of all) expect(validate(schema, parse(query)).map((error) => error.message)).toEqual([]);
  });

  it('never makes markup from text', () => {
    for (const file of files.filter((name) => name.endsWith('.js'))) {
      expect(text(file)).not.toMatch(
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/,
      );
    }
  });

  it('loads nothing from elsewhere and has nothing inline that the policy would refuse', () => {
    const html = text('index.html');
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
    for (const file of files) {
      expect(text(file).replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\//);
    }
    const linked = [...html.matchAll(/(?:src|href)="\/start\/([^"]+)"/g)].map((match) => match[1] ?? '');
    for (const file of linked) expect(files).toContain(file);
  });
});

describe('the examples', () => {
  it('are requests that the schema answers', () => {
    const schema = buildSchema(schemaText());
    const examples = new URL('../../../../examples/', import.meta.url);
    const names = readdirSync(examples).filter((name) => name.endsWith('.json'));
    expect(names).toContain('who-dropped.json');
    for (const name of names) {
      const { query } = JSON.parse(readFileSync(new URL(name, examples), 'utf8')) as { query: string };
      expect(validate(schema, parse(query)).map((error) => error.message)).toEqual([]);
    }
  });
});
