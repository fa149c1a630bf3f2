import { z } from 'zod';
import { configSchema } from './schema.js';
import type { SettingMeta } from './settings.js';

/** One setting with all its names, as found in the schema. */
export interface Setting extends SettingMeta {
  readonly section: string;
  readonly key: string;
  readonly path: string;
  readonly flagName: string;
  readonly environment: string;
  readonly defaultText: string;
  readonly isList: boolean;
  readonly isToggle: boolean;
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

function defaultText(type: z.ZodType): string {
  const parsed = type.safeParse(undefined, { reportInput: false });
  const inner = findDefault(type);
  const value: unknown = inner ?? (parsed.success ? parsed.data : '');
  return Array.isArray(value) ? '(none)' : value === '' ? '(empty)' : String(value);
}

/** The default as written (`24h`), not as parsed (86400000): found inside pipes and defaults. */
function findDefault(type: z.ZodType): unknown {
  if (type instanceof z.ZodDefault) return type.def.defaultValue;
  if (type instanceof z.ZodPipe)
    return findDefault(type.def.in as z.ZodType) ?? findDefault(type.def.out as z.ZodType);
  return undefined;
}

/** Every setting of {@link configSchema}, in order: what flags, environment, docs and errors are derived from. */
export function settings(): readonly Setting[] {
  return Object.entries(configSchema.shape).flatMap(([section, object]) =>
    Object.entries(object.shape).map(([key, type]): Setting => {
      const meta = type.meta() as unknown as SettingMeta;
      return {
        ...meta,
        section,
        key,
        path: `${section}.${key}`,
        flagName: meta.flag ?? `${kebab(section)}-${kebab(key)}`,
        environment: `FLOWLEDGER_${section}_${kebab(key).replaceAll('-', '_')}`.toUpperCase(),
        defaultText: meta.secret === true ? '(empty)' : defaultText(type),
        isList: meta.form.startsWith('list'),
        isToggle: meta.form === 'true | false',
      };
    }),
  );
}

/** docs/reference/configuration.md, whole. */
export function configurationReference(): string {
  const rows = settings().map((s) => {
    const flag =
      s.secret === true ? '–' : `\`--${s.flagName}\`${s.offFlag === undefined ? '' : `, \`--${s.offFlag}\``}`;
    const form = s.form.replaceAll('|', '\\|');
    return `| \`${s.path}\` | ${flag} | \`${s.environment}\` | ${form} | ${s.defaultText} | ${s.description} |`;
  });
  return [
    '# Configuration reference',
    '',
    'Generated from `libs/platform/src/config/schema.ts` by `npm run docs`; do not edit.',
    '',
    'One key, three spellings. A flag wins over the environment, the environment over the YAML file given by `--config`.',
    'Unknown keys are refused in all three; every problem is listed at once and the exit code is 78. Secrets are taken from',
    'the file or the environment, never from a flag, and are printed as `***`.',
    '',
    '| YAML | flag | environment | form | default | meaning |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
