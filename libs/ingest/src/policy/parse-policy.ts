import { VERDICT } from '@flowledger/model';
import { parseDocument } from 'yaml';
import { FLOW_KINDS, type Protected, type SamplingPolicy, type SamplingRule } from './sampling-policy.js';

/** A policy, or everything that is wrong with its text: one line a problem, with the place. */
export type ParsedPolicy =
  | { readonly ok: true; readonly policy: SamplingPolicy }
  | { readonly ok: false; readonly problems: readonly string[] };

const PROTECTED: readonly Protected[] = ['drops', 'verdicts', 'syn', 'l7'];
/** Hash values are 32 bits; a rate beyond would keep nothing of most clusters. */
const MOST_RATE = 1_000_000;
const MOST_ENTRIES = 1000;
const VERDICTS: ReadonlyMap<string, number> = new Map(
  Object.entries(VERDICT.names).map(([number, name]) => [name, Number(number)]),
);
const KINDS: ReadonlyMap<string, number> = new Map(Object.entries(FLOW_KINDS));

/**
 * Reads a policy file (YAML):
 *
 *     version: 1
 *     namespaces: [shop, payments]           # only these; left out: all
 *     protect: [drops, verdicts, syn, l7]    # never sampled; this is the default
 *     sample:                                # the first rule that fits decides
 *       - keep: 1/10
 *         verdict: [FORWARDED]
 *         namespace: [kube-system]
 *         kind: [trace]
 *
 * Unknown keys and words are refused, because a rule that silently means something else loses flows. Pure.
 */
export function parsePolicy(text: string): ParsedPolicy {
  const document = parseDocument(text, { uniqueKeys: true });
  const syntax = document.errors.map((error) => error.message.split('\n')[0] ?? 'not YAML');
  if (syntax.length > 0) return { ok: false, problems: syntax };
  const reading = new PolicyReading();
  const policy = reading.policy(plain(document, reading));
  return reading.problems.length > 0 ? { ok: false, problems: reading.problems } : { ok: true, policy };
}

function plain(document: ReturnType<typeof parseDocument>, reading: PolicyReading): unknown {
  try {
    return document.toJS({ maxAliasCount: 50 });
  } catch {
    reading.problems.push('an alias without an anchor, or too many aliases');
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

class PolicyReading {
  readonly problems: string[] = [];

  policy(value: unknown): SamplingPolicy {
    const fields = this.#fields('policy', value, ['version', 'namespaces', 'protect', 'sample']);
    if (fields['version'] !== 1) this.problems.push('version: must be 1');
    const protect = new Set<Protected>();
    for (const name of fields['protect'] === undefined
      ? PROTECTED
      : this.#words('protect', fields['protect'])) {
      const known = PROTECTED.find((word) => word === name);
      if (known === undefined) this.problems.push(`protect: ${name} is none of ${PROTECTED.join(', ')}`);
      else protect.add(known);
    }
    const rules = this.#list('sample', fields['sample']).map((rule, i) => this.#rule(`sample[${i}]`, rule));
    return { namespaces: new Set(this.#words('namespaces', fields['namespaces'])), protect, rules };
  }

  #rule(path: string, value: unknown): SamplingRule {
    const fields = this.#fields(path, value, ['keep', 'verdict', 'namespace', 'kind']);
    return {
      rate: this.#rate(`${path}.keep`, fields['keep']),
      verdicts: this.#numbers(`${path}.verdict`, fields['verdict'], VERDICTS),
      namespaces: new Set(this.#words(`${path}.namespace`, fields['namespace'])),
      kinds: this.#numbers(`${path}.kind`, fields['kind'], KINDS),
    };
  }

  #rate(path: string, value: unknown): number {
    const match = typeof value === 'string' ? /^1\/([1-9]\d{0,6})$/.exec(value) : null;
    const rate = Number(match?.[1] ?? 0);
    if (rate >= 1 && rate <= MOST_RATE) return rate;
    this.problems.push(`${path}: must be 1/N with N from 1 to ${MOST_RATE}`);
    return 1;
  }

  #numbers(path: string, value: unknown, known: ReadonlyMap<string, number>): ReadonlySet<number> {
    const numbers = new Set<number>();
    for (const word of this.#words(path, value)) {
      const number = known.get(word);
      if (number === undefined)
        this.problems.push(`${path}: ${word} is none of ${[...known.keys()].join(', ')}`);
      else numbers.add(number);
    }
    return numbers;
  }

  #words(path: string, value: unknown): readonly string[] {
    return this.#list(path, value).flatMap((word) => {
      if (typeof word === 'string' && word.length <= 253) return [word];
      this.problems.push(`${path}: must be a list of words`);
      return [];
    });
  }

  #list(path: string, value: unknown): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value) && value.length <= MOST_ENTRIES) return value as readonly unknown[];
    this.problems.push(`${path}: must be a list of at most ${MOST_ENTRIES}`);
    return [];
  }

  #fields(path: string, value: unknown, known: readonly string[]): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.problems.push(`${path}: must be a mapping`);
      return {};
    }
    for (const key of Object.keys(value))
      if (!known.includes(key)) this.problems.push(`${path}: unknown key ${key}`);
    return value as Fields;
  }
}
