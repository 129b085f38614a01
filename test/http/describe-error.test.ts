import { QueryFailedError } from 'typeorm';
import { describeError } from '../../src/observability/describe-error.js';

function queryFailure(code: string, message: string): QueryFailedError {
  const driverError = Object.assign(new Error(message), {
    code,
    severity: 'ERROR',
    detail: `Key (name)=(Canari) exists`,
  });
  return new QueryFailedError('INSERT INTO patients VALUES ($1)', ['Canari'], driverError);
}

it('keeps what finds the fault', () => {
  const described = describeError(new TypeError('x is not a function', { cause: new RangeError('too far') }));
  expect(described).toEqual({
    type: 'TypeError',
    message: 'x is not a function',
    stack: expect.arrayContaining([expect.stringMatching(/^at .*describe-error\.test/)]),
    cause: expect.objectContaining({ type: 'RangeError', message: 'too far' }),
  });
});

it('keeps what PostgreSQL says of tables and columns, and drops what it says of values', () => {
  expect(describeError(queryFailure('42703', 'column "age" does not exist'))).toMatchObject({
    code: '42703',
    message: 'column "age" does not exist',
  });
  const aboutValue = describeError(queryFailure('22P02', 'invalid input syntax for type uuid: "Canari"'));
  expect(aboutValue).toMatchObject({ type: 'QueryFailedError', code: '22P02' });
  expect(JSON.stringify(aboutValue)).not.toContain('Canari');
  expect(JSON.stringify(describeError(queryFailure('23505', 'Canari')))).not.toContain('Canari');
});

it.each([
  ['JSON', () => JSON.parse('Canari') as unknown],
  ['a URL', () => decodeURIComponent('Canari%')],
])('drops the message of a parser of %s, and the stack that repeats it', (_what, parse) => {
  try {
    parse();
  } catch (error) {
    expect(JSON.stringify(describeError(error))).not.toMatch(/Canari|message/);
    return;
  }
  throw new Error('It was parsed');
});

it('says nothing of a value that is no error', () => {
  expect(describeError('Canari')).toEqual({ type: 'string' });
});
