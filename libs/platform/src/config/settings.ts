import { z } from 'zod';

/** What the documentation and the command line need to know about a setting beside its type. */
export interface SettingMeta {
  readonly description: string;
  /** How a value looks, for the reference page. */
  readonly form: string;
  readonly secret?: boolean;
  /** A shorter flag than `--<section>-<key>`. */
  readonly flag?: string;
  /** A flag without a value that sets the key to `false`. */
  readonly offFlag?: string;
}

type Described<T extends z.ZodType> = T;

function described<T extends z.ZodType>(type: T, meta: SettingMeta): Described<T> {
  return type.meta({ ...meta }) as T;
}

type Extra = Partial<Omit<SettingMeta, 'description' | 'form'>>;

/** Free text. */
export function text(fallback: string, description: string, extra: Extra = {}) {
  return described(z.string().max(4096).default(fallback), { description, form: 'text', ...extra });
}

/** A value that is never printed: shown as `***`, taken from files or the environment, refused as a flag. */
export function secret(description: string) {
  return described(z.string().max(4096).default(''), { description, form: 'text', secret: true });
}

/** One of a closed list of words. */
export function choice<const W extends readonly [string, ...string[]]>(
  words: W,
  fallback: W[number],
  description: string,
  extra: Extra = {},
) {
  return described(z.enum(words).default(fallback as never), {
    description,
    form: words.join(' | '),
    ...extra,
  });
}

/** `true` or `false`; from flags and the environment as those two words. */
export function toggle(fallback: boolean, description: string, extra: Extra = {}) {
  const type = z.preprocess(
    (v) => (v === 'true' ? true : v === 'false' ? false : v),
    z.boolean().default(fallback),
  );
  return described(type, { description, form: 'true | false', ...extra });
}

/** A whole number within bounds. */
export function whole(fallback: number, min: number, max: number, description: string, extra: Extra = {}) {
  const type = z.preprocess(
    (v) => (typeof v === 'string' && /^-?\d{1,15}$/.test(v) ? Number(v) : v),
    z.number().int().min(min).max(max).default(fallback),
  );
  return described(type, { description, form: `${min} … ${max}`, ...extra });
}

const DURATION_MS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };

/** Milliseconds of `500ms`, `5s`, `2m`, `24h`, `7d`; undefined for anything else (`5`, `-1s`, `1e9d`). */
export function parseDuration(value: string): number | undefined {
  const match = /^(\d{1,12})(ms|s|m|h|d)$/.exec(value);
  return match === null ? undefined : Number(match[1]) * (DURATION_MS[match[2] ?? ''] ?? NaN);
}

/** A length of time, written with its unit; milliseconds inside. */
export function duration(fallback: string, min: string, max: string, description: string, extra: Extra = {}) {
  const [low, high] = [parseDuration(min) ?? 0, parseDuration(max) ?? Infinity];
  const type = z
    .string()
    .default(fallback)
    .transform((value, context) => {
      const ms = parseDuration(value);
      if (ms !== undefined && ms >= low && ms <= high) return ms;
      context.addIssue({
        code: 'custom',
        message: `expected a duration from ${min} to ${max}, such as 5s, 10m or 7d`,
      });
      return z.NEVER;
    });
  return described(type, { description, form: `duration, ${min} … ${max}`, ...extra });
}

const SIZE_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Bytes of `512KiB`, `64MiB`, `10GiB`; undefined for anything else. */
export function parseSize(value: string): number | undefined {
  const match = /^(\d{1,15})(B|KiB|MiB|GiB|TiB)$/.exec(value);
  return match === null ? undefined : Number(match[1]) * (SIZE_BYTES[match[2] ?? ''] ?? NaN);
}

/** An amount of bytes, written with its unit; bytes inside. */
export function size(fallback: string, min: string, max: string, description: string, extra: Extra = {}) {
  const [low, high] = [parseSize(min) ?? 0, parseSize(max) ?? Infinity];
  const type = z
    .string()
    .default(fallback)
    .transform((value, context) => {
      const bytes = parseSize(value);
      if (bytes !== undefined && bytes >= low && bytes <= high) return bytes;
      context.addIssue({
        code: 'custom',
        message: `expected a size from ${min} to ${max}, such as 64MiB or 10GiB`,
      });
      return z.NEVER;
    });
  return described(type, { description, form: `size, ${min} … ${max}`, ...extra });
}

/** A list of texts: a YAML list, or comma-separated in a flag or the environment. */
export function list(description: string, extra: Extra = {}) {
  const type = z.preprocess(
    (v) =>
      typeof v === 'string'
        ? v
            .split(',')
            .map((s) => s.trim())
            .filter((s) => s !== '')
        : v,
    z.array(z.string().min(1).max(4096)).max(500).default([]),
  );
  return described(type, { description, form: 'list, comma-separated', ...extra });
}
