import { parseDocument } from 'yaml';
import { configSchema, type Config } from './schema.js';
import { settings, type Setting } from './describe.js';

export interface ConfigInput {
  /** Command-line words after the command name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads the file of `--config`; throws when it cannot. */
  readonly readFile: (path: string) => string;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly string[] };

type Tree = Record<string, Record<string, unknown>>;

/** Environment names that are ours but no settings: the file's own name, and switches of the test suite. */
function isReserved(name: string): boolean {
  return name === 'FLOWLEDGER_CONFIG' || name.startsWith('FLOWLEDGER_TEST_');
}

/**
 * Merges file, environment and flags and checks the result against the schema. Pure but for `readFile`. All problems
 * are returned at once, one line each with path and reason, secrets never quoted (promise P17, exit code 78).
 */
export function loadConfig(input: ConfigInput): ConfigResult {
  const known = settings();
  const problems: string[] = [];
  const flags = readFlags(input.argv, known, problems);
  const file = flags.configFile ?? input.env['FLOWLEDGER_CONFIG'];
  const tree: Tree = file === undefined ? {} : readYaml(file, input.readFile, problems);
  for (const [name, value] of Object.entries(input.env)) applyEnvironment(name, value, known, tree, problems);
  for (const [setting, value] of flags.values) put(tree, setting, value);
  for (const section of Object.keys(configSchema.shape)) tree[section] ??= {};
  const parsed = configSchema.safeParse(tree);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) problems.push(describeIssue(issue.path, issue.message, issue));
  }
  if (problems.length > 0 || !parsed.success) return { ok: false, problems };
  return { ok: true, config: parsed.data };
}

function describeIssue(path: readonly PropertyKey[], message: string, issue: object): string {
  const keys = 'keys' in issue && Array.isArray(issue.keys) ? `: ${issue.keys.join(', ')}` : '';
  const unknown = keys !== '';
  return `${path.join('.') || 'configuration'}: ${unknown ? `unknown key${keys}` : message}`;
}

function put(tree: Tree, setting: Setting, value: unknown): void {
  (tree[setting.section] ??= {})[setting.key] = value;
}

function applyEnvironment(
  name: string,
  value: string | undefined,
  known: readonly Setting[],
  tree: Tree,
  problems: string[],
): void {
  if (!name.startsWith('FLOWLEDGER_') || value === undefined || isReserved(name)) return;
  const setting = known.find((s) => s.environment === name);
  if (setting === undefined) problems.push(`${name}: unknown environment variable`);
  else put(tree, setting, value);
}

function readYaml(path: string, readFile: (path: string) => string, problems: string[]): Tree {
  let source: string;
  try {
    source = readFile(path);
  } catch {
    problems.push(`--config: cannot read ${path}`);
    return {};
  }
  const document = parseDocument(source, { uniqueKeys: true });
  for (const error of document.errors)
    problems.push(`${path}: ${error.message.split('\n')[0] ?? 'not YAML'}`);
  if (document.errors.length > 0) return {};
  const value = toPlain(document, path, problems);
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    problems.push(`${path}: expected a mapping of sections`);
    return {};
  }
  return value as Tree;
}

function toPlain(document: ReturnType<typeof parseDocument>, path: string, problems: string[]): unknown {
  try {
    return document.toJS({ maxAliasCount: 50 });
  } catch {
    problems.push(`${path}: too many aliases`);
    return {};
  }
}

interface Flags {
  readonly configFile?: string;
  readonly values: readonly (readonly [Setting, unknown])[];
}

function readFlags(argv: readonly string[], known: readonly Setting[], problems: string[]): Flags {
  const values: (readonly [Setting, unknown])[] = [];
  let configFile: string | undefined;
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    const [name, inline] = splitFlag(word);
    const off = known.find((s) => s.offFlag === name);
    const setting = known.find((s) => s.flagName === name);
    if (off !== undefined && inline === undefined) values.push([off, 'false']);
    else if (name !== 'config' && setting === undefined) problems.push(`${word}: unknown option`);
    else if (setting?.secret === true)
      problems.push(`--${name}: secrets are taken from ${setting.environment} or the file, not from a flag`);
    else {
      const next = argv[i + 1];
      const bare =
        setting?.isToggle === true && inline === undefined && (next === undefined || next.startsWith('--'));
      const value = bare ? 'true' : (inline ?? argv[++i]);
      if (value === undefined) problems.push(`--${name}: needs a value`);
      else if (setting === undefined) configFile = value;
      else values.push([setting, setting.isList ? mergeList(values, setting, value) : value]);
    }
  }
  return configFile === undefined ? { values } : { configFile, values };
}

function splitFlag(word: string): [string | undefined, string | undefined] {
  const match = /^--([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(word);
  return match === null ? [undefined, undefined] : [match[1], match[2]];
}

function mergeList(
  values: readonly (readonly [Setting, unknown])[],
  setting: Setting,
  value: string,
): string {
  const before = values.findLast(([s]) => s === setting)?.[1];
  return typeof before === 'string' ? `${before},${value}` : value;
}

/** The effective configuration as printable text, secrets as `***`. */
export function maskedConfig(config: Config): Record<string, Record<string, unknown>> {
  const tree: Tree = {};
  for (const setting of settings()) {
    const section = config[setting.section as keyof Config] as Record<string, unknown>;
    const value = section[setting.key];
    put(tree, setting, setting.secret === true && value !== '' ? '***' : value);
  }
  return tree;
}
