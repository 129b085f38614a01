import fc from 'fast-check';
import { decodeCursor, encodeCursor, linkHeader, PageQuery, readCursor } from '../../src/http/page.js';
import { Problem } from '../../src/http/problem.js';
import { parse } from '../../src/http/validation.js';

const scalar = fc
  .oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))
  .filter((value) => typeof value !== 'string' || !value.includes('\0'));

it('a cursor comes back as the values that it was made of, and needs no escaping in a URL', () => {
  fc.assert(
    fc.property(fc.array(scalar), (values) => {
      const cursor = encodeCursor(values);
      expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(decodeCursor(cursor, values.length)).toEqual(values);
    }),
  );
});

it.each([
  ['empty', ''],
  ['no base64url', 'ab+/='],
  ['no JSON', 'abcd'],
  ['of another length', encodeCursor(['Awa'])],
  ['no list', Buffer.from('{"length":2}').toString('base64url')],
  ['of objects', encodeCursor([{}, []])],
  ['of what PostgreSQL cannot read', encodeCursor(['a\0b', 1])],
])('a cursor that is %s is a 400', (_what, cursor) => {
  const refusal = expect.objectContaining({ errors: [{ path: 'cursor', message: expect.any(String) }] });
  expect(() => decodeCursor(cursor, 2)).toThrow(refusal);
  expect(() => decodeCursor(cursor, 2)).toThrow(Problem);
});

it.each([
  ['date', '1987-02-30'],
  ['date', '9999-12-31'],
  ['timestamptz', '2026-02-30 10:00:00+00'],
  ['timestamptz', '2026-02-03 25:00:00+00'],
  ['timestamptz', '2026-02-03'],
  ['uuid', 'x'],
  ['integer', '99999999999'],
  ['bigint', '-1'],
  ['float8', 'NaN'],
] as const)('a cursor whose %s is %s is a 400', (type, value) => {
  const refusal = expect.objectContaining({ errors: [{ path: 'after', message: expect.any(String) }] });
  expect(() => readCursor(encodeCursor([value]), [type], 'after')).toThrow(refusal);
});

it('a cursor is read as the values that it was made of', () => {
  const values = ['familyName', 7, '2026-02-03 10:00:00.123+00'];
  expect(readCursor(encodeCursor(values), ['text', 'bigint', 'timestamptz'])).toEqual(values.map(String));
});

it('the Link header leads to the next page of the same list', () => {
  const request = { url: '/api/v1/patients?limit=2&q=N%27Diaye&cursor=old' };
  expect(linkHeader(request, 'new')).toBe('</api/v1/patients?limit=2&q=N%27Diaye&cursor=new>; rel="next"');
  expect(linkHeader(request, null)).toBeUndefined();
});

it('a page has 50 items unless the query says otherwise', async () => {
  expect(await parse(PageQuery, {})).toEqual({ limit: 50, total: false });
  const asked = { limit: '7', total: 'true', cursor: 'abc' };
  expect(await parse(PageQuery, asked)).toEqual({ limit: 7, total: true, cursor: 'abc' });
});
