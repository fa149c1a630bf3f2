// `node tools/run.mjs e2e/kill/main.ts ARGS`: sets up, compiles the folder's project and runs the compiled file.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fail, root, setUp } from './setup.mjs';

setUp();
const [entry, ...words] = process.argv.slice(2);
const match = /^(e2e|bench)\/(.+)\.ts$/.exec(entry ?? '');
if (match === null) fail('name a .ts file of e2e/ or bench/', 64);
const [, project, file] = match;
const build = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', project], {
  cwd: root,
  stdio: ['ignore', 2, 2],
});
if (build.status !== 0) fail('the build failed, see above');
process.argv.splice(1, process.argv.length - 1, entry, ...words);
process.setSourceMapsEnabled(true);
await import(pathToFileURL(join(root, project, 'dist', `${file}.js`)).href);
