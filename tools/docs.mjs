// `npm run docs` writes the generated references; `npm run docs:check` fails when one is not what the code says.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, setUp } from './setup.mjs';

setUp();
const from = async (library) => import(pathToFileURL(join(root, `libs/${library}/dist/index.js`)).href);
const { configurationReference } = await from('platform');
const { fieldReference, filterReference } = await from('model');
const { dropReasonReference } = await from('query');
const { schemaText } = await from('graphql');

const pages = {
  'docs/reference/configuration.md': configurationReference(),
  'docs/reference/fields.md': fieldReference(),
  'docs/reference/filters.md': filterReference(),
  'docs/reference/drop-reasons.md': dropReasonReference(),
  'docs/reference/schema.graphql': schemaText(),
};
const check = process.argv.includes('--check');
let stale = 0;
for (const [path, text] of Object.entries(pages)) {
  const full = join(root, path);
  const now = existsSync(full) ? readFileSync(full, 'utf8') : '';
  if (now === text) continue;
  stale++;
  if (check) process.stderr.write(`${path} is not what the code says; run npm run docs\n`);
  else {
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    process.stdout.write(`wrote ${path}\n`);
  }
}
process.exit(check && stale > 0 ? 1 : 0);
