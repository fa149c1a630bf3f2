// `npm start -- OPTIONS`: sets up what is missing, then runs `flowledger start` in this process.
import { ensurePlatform } from './setup.mjs';

if (!process.env.FLOWLEDGER_STORE_URL) ensurePlatform();
process.argv.splice(2, 0, 'start');
await import('./flowledger.mjs');
