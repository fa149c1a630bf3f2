import { createHash } from 'node:crypto';
import { AppError } from '@flowledger/platform';
import { splitStatements } from './split-statements.js';

/** One numbered script as it lies in `migrations/clickhouse/`. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  /** Text with its macros. */
  readonly text: string;
  /** SHA-256 of the text, hex. Line ends count as `\n`. */
  readonly checksum: string;
}

/** What the macros of a script stand for. */
export interface RenderOptions {
  /** Cluster name; null on a single node. */
  readonly cluster: string | null;
  /** Values of `{{NAME}}` macros, such as `RAW_TTL_DAYS`; whole numbers only, so that nothing can be injected. */
  readonly variables: Readonly<Record<string, number>>;
}

const FILE_NAME = /^(\d{4})_([a-z0-9_]+)\.sql$/;
const MACRO = /\{\{([A-Z_0-9]+)(?::([^{}]*))?\}\}/g;

function invalid(message: string): AppError {
  return new AppError('CONFIG_INVALID', message, { retry: false });
}

/**
 * Orders scripts by number. Pure. Throws CONFIG_INVALID for a name that is not `NNNN_name.sql`, a number given twice
 * and a gap: 0001, 0002, … must all be there.
 */
export function readMigrations(files: ReadonlyMap<string, string>): Migration[] {
  const migrations = [...files].map(([file, text]): Migration => {
    const match = FILE_NAME.exec(file);
    if (match === null) throw invalid(`migration ${file}: the name must be NNNN_name.sql`);
    const checksum = createHash('sha256').update(text.replaceAll('\r\n', '\n'), 'utf8').digest('hex');
    return { version: Number(match[1]), name: match[2] ?? '', text, checksum };
  });
  migrations.sort((a, b) => a.version - b.version);
  for (const [index, migration] of migrations.entries()) {
    if (migration.version !== index + 1) {
      throw invalid(`migration number ${index + 1} is missing or number ${migration.version} is given twice`);
    }
  }
  return migrations;
}

function quoted(name: string): string {
  return `'${name.replace(/[\\']/g, '\\$&')}'`;
}

/** `MergeTree`-family engine as written, or its replicated form. Zookeeper path and replica are the server's macros. */
function engine(written: string, cluster: string | null): string {
  const match = /^([A-Za-z]*MergeTree)(?:\((.*)\))?$/.exec(written.trim());
  if (match === null) throw invalid(`macro ENGINE: ${written} is not a MergeTree engine`);
  if (cluster === null) return written.trim();
  const more = match[2] === undefined || match[2] === '' ? '' : `, ${match[2]}`;
  return `Replicated${match[1]}('/clickhouse/tables/{uuid}/{shard}', '{replica}'${more})`;
}

function macro(name: string, argument: string | undefined, options: RenderOptions): string {
  if (name === 'ON_CLUSTER') return options.cluster === null ? '' : ` ON CLUSTER ${quoted(options.cluster)}`;
  if (name === 'CLUSTER') return quoted(options.cluster ?? '');
  if (name === 'CLUSTER_ONLY') return '';
  if (name === 'ENGINE' && argument !== undefined) return engine(argument, options.cluster);
  const value = options.variables[name];
  if (value === undefined || argument !== undefined) throw invalid(`unknown macro {{${name}}}`);
  if (!Number.isSafeInteger(value)) throw invalid(`macro {{${name}}} must be a whole number`);
  return String(value);
}

/**
 * Renders a script to the statements to run. Pure. Macros: `{{ON_CLUSTER}}` (with its leading blank), `{{CLUSTER}}`
 * (quoted name), `{{ENGINE:MergeTree}}` (replicated on a cluster), `{{CLUSTER_ONLY}}` (drops its statement on a single
 * node) and `{{NAME}}` of `variables`. Throws CONFIG_INVALID for any other.
 */
export function renderMigration(text: string, options: RenderOptions): string[] {
  return splitStatements(text)
    .filter((statement) => options.cluster !== null || !statement.includes('{{CLUSTER_ONLY}}'))
    .map((statement) =>
      statement
        .replace(MACRO, (_whole, name: string, argument: string | undefined) =>
          macro(name, argument, options),
        )
        .trim(),
    );
}
