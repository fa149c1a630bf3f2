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

function hasKey(label: string, wanted: LabelRequirement): boolean {
  const end = label.indexOf('=');
  const name = end < 0 ? label : label.slice(0, end);
  if (wanted.source !== undefined) return name === `${wanted.source}:${wanted.key}`;
  return name === wanted.key || name.slice(name.indexOf(':') + 1) === wanted.key;
}

function compares(value: string, operator: 'gt' | 'lt', bound: string): boolean {
  if (!/^[+-]?\d{1,18}$/.test(value)) return false;
  return operator === 'gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
}

/**
 * Says whether stored labels meet a requirement; the first label with the key counts. The same rule as the condition
 * on `label_sets` in SQL.
 */
export function labelMatches(labels: readonly string[], wanted: LabelRequirement): boolean {
  const label = labels.find((text) => hasKey(text, wanted));
  if (label === undefined) return wanted.operator === 'absent' || wanted.operator === 'notin';
  const end = label.indexOf('=');
  const value = end < 0 ? '' : label.slice(end + 1);
  switch (wanted.operator) {
    case 'exists':
      return true;
    case 'absent':
      return false;
    case 'in':
      return wanted.values.includes(value);
    case 'notin':
      return !wanted.values.includes(value);
    case 'gt':
    case 'lt':
      return compares(value, wanted.operator, wanted.values[0] ?? '0');
  }
}
