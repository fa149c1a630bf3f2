// `npm run flowledger -- COMMAND …`: sets up what is missing, then becomes the command.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, setUp } from './setup.mjs';

setUp();
process.setSourceMapsEnabled(true);
await import(pathToFileURL(join(root, 'apps/flowledger/dist/main.js')).href);
