import { checkPreconditions, etagOf, type Preconditions } from '../../src/http/preconditions.js';
import { Problem } from '../../src/http/problem.js';

/** What becomes of a change of version 3. */
function outcome(changes: Partial<Preconditions>): number | 'goes on' {
  try {
    checkPreconditions(
      { method: 'PATCH', ifMatch: undefined, prefer: undefined, requireAll: false, ...changes },
      etagOf(3),
    );
    return 'goes on';
  } catch (error) {
    if (error instanceof Problem) return error.getStatus();
    throw error;
  }
}

it('an entity tag is strong', () => {
  expect(etagOf(3)).toBe('"v3"');
});

it.each(['"v3"', '*', '"v2", "v3"', ' "v3" '])(
  'If-Match: %s lets the change of version 3 go on',
  (ifMatch) => {
    expect(outcome({ ifMatch })).toBe('goes on');
  },
);

it.each(['"v2"', '"v33"', 'W/"v3"', '"v1", "v2"', '""'])('If-Match: %s is stale', (ifMatch) => {
  expect(outcome({ ifMatch })).toBe(412);
});

it.each(['v3', '', '"v3', '"v3" "v2"', '*, "v3"'])('If-Match: %s cannot be understood', (ifMatch) => {
  expect(outcome({ ifMatch })).toBe(400);
});

it('a stale change is told what the tag is now', () => {
  const stale = () =>
    checkPreconditions({ method: 'PUT', ifMatch: '"v2"', prefer: undefined, requireAll: false }, etagOf(3));
  expect(stale).toThrow(expect.objectContaining({ headers: { etag: '"v3"' } }));
});

it('a PUT needs it, other methods only when the client or the node is strict', () => {
  expect(outcome({ method: 'PUT' })).toBe(428);
  expect(outcome({ method: 'PATCH' })).toBe('goes on');
  expect(outcome({ method: 'DELETE' })).toBe('goes on');
  expect(outcome({ requireAll: true })).toBe(428);
  expect(outcome({ prefer: 'handling=strict' })).toBe(428);
  expect(outcome({ prefer: 'return=minimal, Handling="strict"; wait=1' })).toBe(428);
  expect(outcome({ prefer: 'handling=lenient' })).toBe('goes on');
  expect(outcome({ prefer: 'handling=strict', ifMatch: '"v3"' })).toBe('goes on');
});
