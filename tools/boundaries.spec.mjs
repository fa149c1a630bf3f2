import { describe, expect, it } from 'vitest';
import { importsOf, problemsOf } from './boundaries.mjs';

const project = (short, tag, deps = []) => ({ short, tag, deps });
const projects = new Map([
  ['@flowledger/model', project('model', 'layer:core')],
  ['@flowledger/platform', project('platform', 'layer:core')],
  ['@flowledger/event-log', project('event-log', 'layer:adapter', ['@flowledger/platform'])],
  [
    '@flowledger/column-store',
    project('column-store', 'layer:adapter', ['@flowledger/model', '@flowledger/event-log']),
  ],
  [
    '@flowledger/sink',
    project('sink', 'layer:feature', ['@flowledger/model', '@flowledger/ingest', '@flowledger/testkit']),
  ],
  ['@flowledger/ingest', project('ingest', 'layer:feature')],
  ['@flowledger/testkit', project('testkit', 'layer:test')],
]);
const check = (name, source, isTest = false) =>
  problemsOf({ path: 'x.ts', source, project: projects.get(name), projects, isTest });

describe('import boundaries', () => {
  it('finds static, type, side-effect, re-exported and dynamic imports', () => {
    const source = `import a from 'a';\nimport type { B } from "b";\nimport 'c';\nexport * from 'd';\nconst e = await import('e');\nimport {\n x,\n y\n} from 'f';`;
    expect(importsOf(source)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  it.each([
    ['a feature importing a feature', '@flowledger/sink', `import { x } from '@flowledger/ingest';`],
    [
      'an adapter importing an adapter',
      '@flowledger/column-store',
      `import { x } from '@flowledger/event-log';`,
    ],
    [
      'a core library importing the workspace',
      '@flowledger/model',
      `import { x } from '@flowledger/platform';`,
    ],
    [
      'production code importing the test kit',
      '@flowledger/sink',
      `import { x } from '@flowledger/testkit';`,
    ],
    ['a deep import', '@flowledger/sink', `import { x } from '@flowledger/model/src/x.js';`],
    ['an undeclared dependency', '@flowledger/ingest', `import { x } from '@flowledger/model';`],
    ['a package outside its home', '@flowledger/sink', `import { createClient } from '@clickhouse/client';`],
    ['the environment outside platform', '@flowledger/sink', `const p = process.env.HOME;`],
  ])('refuses %s', (_what, name, source) => {
    expect(check(name, source)).toHaveLength(1);
  });

  it('allows what the layout allows', () => {
    expect(
      check('@flowledger/sink', `import { x } from '@flowledger/model';\nimport fs from 'node:fs';`),
    ).toEqual([]);
    expect(check('@flowledger/sink', `import { x } from '@flowledger/testkit';`, true)).toEqual([]);
  });
});
