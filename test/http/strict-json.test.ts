import fc from 'fast-check';
import type { Problem } from '../../src/http/problem.js';
import { parseStrictJson } from '../../src/http/strict-json.js';

function refusal(text: string): Pick<Problem, 'errors'> & { status: number } {
  try {
    parseStrictJson(Buffer.from(text));
  } catch (error) {
    const problem = error as Problem;
    return { status: problem.getStatus(), errors: problem.errors };
  }
  throw new Error(`${text} was accepted`);
}

const INHERITED = new RegExp(`"(${Object.getOwnPropertyNames(Object.prototype).join('|')})"`);
const readable = fc.json({ maxDepth: 6 }).filter((text) => !INHERITED.test(text) && !text.includes('\\u'));

it('reads whatever JSON.parse reads', () => {
  fc.assert(
    fc.property(readable, (text) => {
      expect(parseStrictJson(Buffer.from(text))).toEqual(JSON.parse(text));
    }),
  );
});

it('is not led astray by brackets, colons, quotes and backslashes inside of texts', () => {
  const text = String.raw`{"a:{[": "\\", "b\"": "}\\\":\\\\", "c": ["\\\"", ":", {}], "é": "\u00e9"}`;
  expect(parseStrictJson(Buffer.from(text))).toEqual(JSON.parse(text));
});

it('finds a repeated key wherever it is, and names it', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), readable, { minKeys: 1 }), (members) => {
      const [key = '', value = ''] = Object.entries(members)[0] ?? [];
      const entries = [...Object.entries(members), [key, value]];
      const object = `{${entries.map(([name, json]) => `${JSON.stringify(name)}: ${json}`).join(', ')}}`;
      expect(refusal(`[0, {"in": ${object}}]`)).toEqual({
        status: 400,
        errors: [{ path: `1.in.${key}`, message: 'is given more than once' }],
      });
    }),
  );
});

it('keeps the same key in different objects apart', () => {
  const text = '{"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]}';
  expect(parseStrictJson(Buffer.from(text))).toEqual(JSON.parse(text));
});

it('allows 64 levels and no more', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  expect(parseStrictJson(Buffer.from(nested(64)))).toBeDefined();
  expect(refusal(nested(65)).status).toBe(400);
  expect(refusal(nested(400_000)).status).toBe(400);
});

it('tells apart what cannot be read from what cannot be stored', () => {
  expect(refusal('{"a": ["x", "\\u0000"]}')).toEqual({
    status: 422,
    errors: [{ path: 'a.1', message: 'holds the character U+0000' }],
  });
  expect(refusal('{"a": "\\ud800"}').status).toBe(400);
  expect(refusal('{"\\udfff": 1}').status).toBe(400);
  expect(parseStrictJson(Buffer.from('{"a": "\\ud83d\\ude00"}'))).toEqual({ a: '😀' });
});

it.each(Object.getOwnPropertyNames(Object.prototype))('refuses the key %s, wherever it is', (name) => {
  expect(refusal(`{"a": [{"${name}": 1}]}`)).toEqual({
    status: 400,
    errors: [{ path: `a.0.${name}`, message: 'is not known here' }],
  });
});

it('calls a text what it is', () => {
  expect(() => parseStrictJson(Buffer.from('{'), 'line')).toThrow(
    expect.objectContaining({ detail: 'The line is not JSON.' }),
  );
});

it('reads an empty body as none', () => {
  expect(parseStrictJson(Buffer.alloc(0))).toBeUndefined();
});
