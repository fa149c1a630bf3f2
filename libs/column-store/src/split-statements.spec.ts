import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitStatements } from './split-statements.js';

describe('splitStatements', () => {
  it('splits at semicolons, and drops comments and empty statements', () => {
    const script =
      "SELECT 1; -- one; two\n;; /* a; /* nested; */ b; */ SELECT 'x;''y\\';z';\n# c;\nSELECT `a;b`, \"c;d\"";
    expect(splitStatements(script)).toEqual(['SELECT 1', "SELECT 'x;''y\\';z'", 'SELECT `a;b`, "c;d"']);
  });

  it('gives back every statement of any script, whatever the quotes and comments between them hold', () => {
    const statement = fc
      .array(fc.constantFrom("'a;b'", "'--'", "'\\''", "'/*'", '`x;`', '"--;"', 'SELECT', '1', '-', '(a)'), {
        minLength: 1,
        maxLength: 6,
      })
      .map((parts) => parts.join(' '));
    const noise = fc.constantFrom('', "-- it's; not closed\n", '/* "; /* */ \' */', '# `;\n');
    fc.assert(
      fc.property(fc.array(fc.tuple(noise, statement)), (given) => {
        const script = given.map(([comment, text]) => `${comment}${text}`).join(';\n');
        expect(splitStatements(script)).toEqual(given.map(([, text]) => text));
      }),
    );
  });
});
