import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Passwords of the embedded engine's users, made once for each data directory. */
export interface StoreCredentials {
  readonly writer: string;
  readonly reader: string;
  readonly grafana: string;
}

/** Reads the passwords, or makes them; the file is readable by its owner only. */
export async function storeCredentials(dataDir: string): Promise<StoreCredentials> {
  const path = join(dataDir, 'run', 'store-credentials.json');
  try {
    return JSON.parse(await readFile(path, 'utf8')) as StoreCredentials;
  } catch {
    const made = { writer: password(), reader: password(), grafana: password() };
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
    return made;
  }
}

function password(): string {
  return randomBytes(24).toString('base64url');
}
