import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const FILE = fileURLToPath(new URL('../../docker-compose.yml', import.meta.url));

/** What `docker-compose.yml` says about one service. */
export interface ComposeService {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly image?: string;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy?: { readonly resources?: { readonly limits?: Readonly<Record<string, string>> } };
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

export const COMPOSE_DIRECTORY = join(FILE, '..');

/**
 * The file as Compose would read it with these variables: `${NAME:?text}` must be set, `${NAME:-default}` may be missing.
 * Throws for a variable that is needed and not there.
 */
export function readCompose(variables: Readonly<Record<string, string>>): ComposeFile {
  const text = readFileSync(FILE, 'utf8').replace(
    /\$\{(\w+)(?::(-|\?)([^}]*))?\}/g,
    (_whole, name: string, kind: string | undefined, rest: string | undefined) => {
      const value = variables[name];
      if (value !== undefined && value !== '') return value;
      if (kind === '-') return rest ?? '';
      throw new Error(`${name} is needed: ${rest ?? ''}`);
    },
  );
  return parse(text, { merge: true }) as ComposeFile;
}
