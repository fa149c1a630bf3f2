import { refuseCel } from './cel-refusal.js';
import { celTokens } from './cel-tokens.js';
import type { CelToken } from './cel-tokens.js';

/** A parsed expression, not yet typed. */
export type CelSyntax =
  | { readonly kind: 'literal'; readonly value: bigint | string | boolean | null }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'select'; readonly of: CelSyntax; readonly field: string }
  | { readonly kind: 'index'; readonly of: CelSyntax; readonly index: CelSyntax }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly on: CelSyntax | undefined;
      readonly args: readonly CelSyntax[];
    }
  | { readonly kind: 'list'; readonly items: readonly CelSyntax[] }
  | { readonly kind: 'not'; readonly of: CelSyntax }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: CelSyntax;
      readonly right: CelSyntax;
    }
  | { readonly kind: 'choice'; readonly when: CelSyntax; readonly yes: CelSyntax; readonly no: CelSyntax };

const MAX_DEPTH = 40;
const LEVELS: readonly (readonly string[])[] = [['||'], ['&&'], ['==', '!=', '<', '<=', '>', '>=', 'in']];
const CONSTANTS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

/** Recursive descent over the tokens of one expression. */
class CelParser {
  #at = 0;
  #depth = 0;
  constructor(private readonly tokens: readonly CelToken[]) {}

  whole(): CelSyntax {
    const parsed = this.#expression();
    return this.#next.kind === 'end' ? parsed : this.#unexpected();
  }

  get #next(): CelToken {
    return this.tokens[this.#at] ?? { kind: 'end', at: 0 };
  }

  #unexpected(): never {
    const token = this.#next;
    if (token.kind === 'end') return refuseCel('the expression ends too early');
    const text = 'text' in token ? `\`${token.text}\`` : 'a value';
    return refuseCel(`${text} at character ${token.at} is not expected`);
  }

  #taken(...texts: readonly string[]): string | undefined {
    const token = this.#next;
    if (!('text' in token) || !texts.includes(token.text)) return undefined;
    this.#at++;
    return token.text;
  }

  #expect(text: string): void {
    if (this.#taken(text) === undefined) this.#unexpected();
  }

  #expression(): CelSyntax {
    if (++this.#depth > MAX_DEPTH) refuseCel(`more than ${MAX_DEPTH} levels of nesting`);
    const when = this.#level(0);
    let parsed = when;
    if (this.#taken('?') !== undefined) {
      const yes = this.#level(0);
      this.#expect(':');
      parsed = { kind: 'choice', when, yes, no: this.#expression() };
    }
    this.#depth--;
    return parsed;
  }

  #level(level: number): CelSyntax {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#sum();
    let left = this.#level(level + 1);
    for (;;) {
      const operator = this.#taken(...operators);
      if (operator === undefined) return left;
      left = { kind: 'binary', operator, left, right: this.#level(level + 1) };
    }
  }

  #sum(): CelSyntax {
    const left = this.#unary();
    const token = this.#next;
    if ('text' in token && ['+', '-', '*', '/', '%'].includes(token.text))
      refuseCel(`arithmetic (\`${token.text}\`) is not supported`);
    return left;
  }

  #unary(): CelSyntax {
    let negations = 0;
    while (this.#taken('!') !== undefined) negations++;
    let parsed = this.#taken('-') === undefined ? this.#member() : this.#negative();
    if (negations > MAX_DEPTH) refuseCel(`more than ${MAX_DEPTH} levels of nesting`);
    for (; negations > 0; negations--) parsed = { kind: 'not', of: parsed };
    return parsed;
  }

  #negative(): CelSyntax {
    const token = this.#next;
    if (token.kind !== 'integer') return refuseCel('arithmetic (`-`) is not supported');
    this.#at++;
    return { kind: 'literal', value: -token.value };
  }

  #member(): CelSyntax {
    let parsed = this.#primary();
    for (let steps = 0; ; steps++) {
      if (steps > MAX_DEPTH) refuseCel(`more than ${MAX_DEPTH} levels of nesting`);
      if (this.#taken('.') !== undefined) {
        const field = this.#name();
        parsed =
          this.#taken('(') === undefined
            ? { kind: 'select', of: parsed, field }
            : { kind: 'call', name: field, on: parsed, args: this.#list(')') };
      } else if (this.#taken('[') !== undefined) {
        parsed = { kind: 'index', of: parsed, index: this.#expression() };
        this.#expect(']');
      } else return parsed;
    }
  }

  #name(): string {
    const token = this.#next;
    if (token.kind !== 'name') return this.#unexpected();
    this.#at++;
    return token.text;
  }

  #list(end: string): readonly CelSyntax[] {
    const items: CelSyntax[] = [];
    while (this.#taken(end) === undefined) {
      if (items.length > 0) {
        this.#expect(',');
        if (this.#taken(end) !== undefined) break;
      }
      items.push(this.#expression());
    }
    return items;
  }

  #primary(): CelSyntax {
    const token = this.#next;
    if (token.kind === 'string' || token.kind === 'integer') {
      this.#at++;
      return { kind: 'literal', value: token.value };
    }
    if (this.#taken('(') !== undefined) {
      const inner = this.#expression();
      this.#expect(')');
      return inner;
    }
    if (this.#taken('[') !== undefined) return { kind: 'list', items: this.#list(']') };
    if (this.#taken('{') !== undefined) return refuseCel('maps and messages made in place are not supported');
    this.#taken('.');
    const name = this.#name();
    const constant = Object.hasOwn(CONSTANTS, name) ? CONSTANTS[name] : undefined;
    if (constant !== undefined) return { kind: 'literal', value: constant };
    return this.#taken('(') === undefined
      ? { kind: 'name', name }
      : { kind: 'call', name, on: undefined, args: this.#list(')') };
  }
}

/** Parses an expression of the CEL grammar without arithmetic, fractions, byte strings, maps and message literals. */
export function parseCel(text: string): CelSyntax {
  return new CelParser(celTokens(text)).whole();
}
