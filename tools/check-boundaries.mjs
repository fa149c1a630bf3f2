// Lint of the import layers (design section 2): reads the Nx tags of every project and every import of every source.
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readdirSync } from 'node:fs';
import { problemsOf } from './boundaries.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function sources(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory())
      return entry.name === 'dist' || entry.name === 'node_modules' ? [] : sources(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

const projects = new Map();
for (const group of ['libs', 'apps']) {
  for (const short of readdirSync(join(root, group))) {
    const manifest = JSON.parse(readFileSync(join(root, group, short, 'package.json'), 'utf8'));
    const tag = manifest.nx.tags.find((t) => t.startsWith('layer:'));
    projects.set(manifest.name, {
      short,
      tag,
      directory: join(root, group, short),
      deps: Object.keys(manifest.dependencies ?? {}),
    });
  }
}

const problems = [];
let files = 0;
for (const project of projects.values()) {
  for (const path of sources(join(project.directory, 'src'))) {
    files++;
    const isTest =
      path.endsWith('.spec.ts') ||
      path.includes('/src/testing/') ||
      project.tag === 'layer:test' ||
      path.endsWith('contract.ts');
    problems.push(
      ...problemsOf({
        path: relative(root, path),
        source: readFileSync(path, 'utf8'),
        project,
        projects,
        isTest,
      }),
    );
  }
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`boundaries: ${files} files, ${problems.length} problems\n`);
process.exit(problems.length === 0 ? 0 : 1);
