import { parseEnv } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changedNames, withSettings } from '../../../src/cli/init/dotenv-file.js';

function changed(text: string, changes: Record<string, string | undefined>): string {
  const made = withSettings(text, changes);
  if (!made.ok) throw new Error(made.why);
  return made.text;
}

describe('changing a .env file', () => {
  it('replaces a value in its place and leaves every other line as it is', () => {
    const text = '# mine\nFOO=bar  # why\n\nSHOPIFY_SHOP=old.myshopify.com\nexport OTHER="x y"\n';
    expect(changed(text, { SHOPIFY_SHOP: 'new.myshopify.com', HOLDFAST_DB: '/a/b.db' })).toBe(
      '# mine\nFOO=bar  # why\n\nSHOPIFY_SHOP=new.myshopify.com\nexport OTHER="x y"\nHOLDFAST_DB=/a/b.db\n',
    );
  });

  it('puts what is new first where a line that nobody understands would swallow it', () => {
    expect(changed('A=1\nnot a setting\n', { B: '2' })).toBe('B=2\nA=1\nnot a setting\n');
  });

  it('removes what is void now, with its line', () => {
    expect(changed('A=1\nSHOPIFY_ACCESS_TOKEN=shpat_x\nB=2\n', { SHOPIFY_ACCESS_TOKEN: undefined })).toBe(
      'A=1\nB=2\n',
    );
  });

  it('leaves one line where there were several with one name: the last is the one that counted', () => {
    expect(changed('A=1\nX=0\nA=2\n', { A: '3' })).toBe('X=0\nA=3\n');
  });

  it('takes what looks like a setting inside of a longer value for what it is', () => {
    const text = 'KEY="-----BEGIN\nSHOPIFY_SHOP=inside\n-----END"\nSHOPIFY_SHOP=real.myshopify.com\n';
    const after = changed(text, { SHOPIFY_SHOP: 'new.myshopify.com' });
    expect(after).toBe('KEY="-----BEGIN\nSHOPIFY_SHOP=inside\n-----END"\nSHOPIFY_SHOP=new.myshopify.com\n');
  });

  it('keeps the line ends of the file', () => {
    expect(changed('A=1\r\nB=2\r\n', { B: '3' })).toBe('A=1\r\nB=3\r\n');
  });

  it.each(['C:\\new\\ledger.db', '/a path/with # and "quotes"', " it's ", '`', '$HOME', ''])(
    'writes %j so that it reads back the same',
    (value) => {
      expect(parseEnv(changed('', { HOLDFAST_DB: value }))).toEqual({ HOLDFAST_DB: value });
    },
  );

  it('refuses a value that no such file can hold, and repeats nothing of it', () => {
    const made = withSettings('A=1\n', { TOKEN: 'secret\nB=2' });
    expect(made).toMatchObject({ ok: false, why: expect.stringContaining('TOKEN') });
    expect(JSON.stringify(made)).not.toContain('secret');
  });

  it('either does as wished to the settings and nothing to the others, or says that it can’t', () => {
    const line = fc.oneof(
      fc.constantFrom(
        '# c',
        '',
        'A=1',
        'B="two\nlines"',
        "C='x=y'",
        'D=`q`',
        'E="open',
        'F=a#b',
        'export G=1',
        '=',
        'A=again',
      ),
      fc.string({ maxLength: 12 }),
    );
    const names = fc.constantFrom('A', 'B', 'C', 'D', 'E', 'SHOPIFY_SHOP');
    const changes = fc.dictionary(names, fc.option(fc.string({ maxLength: 10 }), { nil: undefined }));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), changes, (lines, wish) => {
        const before = lines.join('\n');
        const made = withSettings(before, wish);
        if (!made.ok) return;
        const after = parseEnv(made.text);
        for (const [name, value] of Object.entries(wish)) expect(after[name]).toBe(value);
        for (const [name, value] of Object.entries(parseEnv(before))) {
          if (!Object.hasOwn(wish, name)) expect(after[name]).toBe(value);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('names what would change', () => {
    expect(changedNames('A=1\nB=2\n', { A: '1', B: '3', C: '4', D: undefined })).toEqual(['B', 'C']);
  });
});
