/** One requirement of a label selector. */
export interface LabelRequirement {
  /** Label source; undefined = any. */
  readonly source: string | undefined;
  readonly key: string;
  readonly operator: 'exists' | 'absent' | 'in' | 'notin' | 'gt' | 'lt';
  readonly values: readonly string[];
}

const KEY = String.raw`(?:([\w-]+):)?([A-Za-z0-9](?:[\w./-]*[A-Za-z0-9])?)`;
const ABSENT = new RegExp(`^!\\s*${KEY}$`);
const PRESENT = new RegExp(`^${KEY}$`);
const COMPARED = new RegExp(`^${KEY}\\s*(==|=|!=|>|<)\\s*([\\w.-]*)$`);
const IN_SET = new RegExp(`^${KEY}\\s+(in|notin)\\s*\\(([\\s\\w.,-]*)\\)$`);

function requirement(
  match: RegExpExecArray,
  operator: LabelRequirement['operator'],
  values: readonly string[] = [],
): LabelRequirement {
  const source = match[1] === 'any' ? undefined : match[1];
  return { source, key: match[2] ?? '', operator, values };
}

const OPERATORS: Readonly<Record<string, LabelRequirement['operator']>> = {
  '=': 'in',
  '==': 'in',
  '!=': 'notin',
  '>': 'gt',
  '<': 'lt',
  in: 'in',
  notin: 'notin',
};

function parseRequirement(text: string): LabelRequirement | undefined {
  const absent = ABSENT.exec(text);
  if (absent !== null) return requirement(absent, 'absent');
  const present = PRESENT.exec(text);
  if (present !== null) return requirement(present, 'exists');
  const found = COMPARED.exec(text) ?? IN_SET.exec(text);
  const operator = OPERATORS[found?.[3] ?? ''];
  if (found === null || operator === undefined) return undefined;
  const value = found[4] ?? '';
  if (operator === 'gt' || operator === 'lt')
    return /^-?\d{1,18}$/.test(value) ? requirement(found, operator, [value]) : undefined;
  if (found[3] !== 'in' && found[3] !== 'notin') return requirement(found, operator, [value]);
  if (value.trim() === '') return undefined;
  return requirement(
    found,
    operator,
    value.split(',').map((part) => part.trim()),
  );
}

/**
 * A Kubernetes label selector with Cilium sources (`k8s:app=web, tier in (a, b), !canary`): requirements that must all
 * hold, none for an empty selector. Undefined when the text is no selector.
 */
export function parseLabelSelector(text: string): readonly LabelRequirement[] | undefined {
  if (text.trim() === '') return [];
  const parts = text.split(/,(?![^(]*\))/);
  const requirements = parts.map((part) => parseRequirement(part.trim()));
  return requirements.every((part) => part !== undefined) ? requirements : undefined;
}

/** RE2 text that matches a stored label (`source:key=value`, parts may be missing) with the requirement's key. */
export function labelKeyPattern(wanted: LabelRequirement): string {
  const quoted = wanted.key.replace(/[.\\+*?^$|(){}[\]/-]/g, (letter) => `\\${letter}`);
  const source = wanted.source === undefined ? '([^:=]*:)?' : `${wanted.source}:`;
  return `^${source}${quoted}(=|$)`;
}
