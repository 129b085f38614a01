import { HttpException } from '@nestjs/common';
import { Problem } from '../../src/http/problem.js';
import { problemOf } from '../../src/http/problem-of.js';
import { CentralUnavailableError } from '../../src/routing/data-router.js';
import { type ProbeApplication, startProbe } from './probe-application.js';

let node: ProbeApplication;

beforeAll(async () => {
  node = await startProbe();
});

afterAll(() => node.stop());

async function run(statement: string) {
  const response = await fetch(`${node.url}/api/v1/probes/sql?statement=${encodeURIComponent(statement)}`);
  return { response, text: await response.text() };
}

const raise = (code: string) =>
  `DO $$ BEGIN RAISE EXCEPTION 'Ndeye-Canari' USING ERRCODE = '${code}'; END $$`;

describe('what PostgreSQL complains of', () => {
  it.each([
    ['a unique key given twice', '23505', 409],
    ['a foreign key to nothing', '23503', 409],
    ['a character that it cannot store', '22021', 422],
    ['a number out of range', '22003', 422],
    ['a text that is no uuid', '22P02', 400],
    ['a serialization failure', '40001', 503],
    ['a deadlock', '40P01', 503],
    ['a lock that was not free', '55P03', 503],
    ['too many connections', '53300', 503],
    ['a shutdown', '57P01', 503],
    ['a start that is not finished', '57P03', 503],
    ['a database that is not there', '3D000', 503],
    ['a password that is no longer good', '28P01', 503],
    ['a statement that took too long', '57014', 503],
    ['a read-only database', '25006', 503],
    ['a full disk', '53100', 507],
    ['an unknown column', '42703', 500],
  ])('%s (%s) is a %i', async (_what, code, status) => {
    const { response, text } = await run(raise(code));
    expect([response.status, JSON.parse(text).status]).toEqual([status, status]);
    expect(response.headers.has('retry-after')).toBe([503, 507].includes(status));
    expect(text).not.toMatch(/Canari|RAISE|SQL|\bat \//);
  });

  it('U+0000 in a value is never a 500', async () => {
    const response = await fetch(`${node.url}/api/v1/probes/text?value=Awa%00`);
    expect(response.status).toBe(422);
  });
});

it('an unexpected error says nothing, and is logged under its request id', async () => {
  const response = await fetch(`${node.url}/api/v1/probes/failure`, {
    headers: { 'x-request-id': 'failure-1' },
  });
  expect(response.status).toBe(500);
  expect(await response.json()).toEqual({
    type: 'https://medlink.example/problems/internal-error',
    title: 'Something went wrong on our side',
    status: 500,
    detail: 'It has been recorded under the requestId.',
    instance: '/api/v1/probes/failure',
    requestId: 'failure-1',
  });
  const logged = node.log.map((line) => JSON.parse(line)).find((line) => line.requestId === 'failure-1');
  expect(logged).toMatchObject({ level: 'error', requestId: 'failure-1', err: { type: 'TypeError' } });
});

describe('one place decides the status', () => {
  it('central away is a 503 with Retry-After', () => {
    const problem = problemOf(new CentralUnavailableError());
    expect(problem.getStatus()).toBe(503);
    expect(problem.headers).toEqual({ 'retry-after': '10' });
  });

  it.each(
    [400, 401, 403, 404, 405, 406, 408, 409, 412, 413, 414, 415, 418, 422, 428, 429, 431, 500, 503, 507].map(
      (status) => [status],
    ),
  )('a %i always says something in its detail', (status) => {
    const { detail } = problemOf(new HttpException('Canari', status)).body();
    expect(detail).toMatch(/^[A-Z].*\.$|^Sign in/);
    expect(detail).not.toContain('Canari');
  });

  it.each(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH'])(
    'a database behind %s is a 503',
    (code) => {
      const cause = Object.assign(new Error('connect'), { code });
      expect(problemOf(new Error('The journal could not be read', { cause })).getStatus()).toBe(503);
    },
  );

  it('a pool without a free connection is a 503', () => {
    expect(problemOf(new Error('timeout exceeded when trying to connect')).getStatus()).toBe(503);
  });

  it('a problem stays what it is', () => {
    const problem = new Problem(409, 'conflict', 'This clashes', { extra: { medicalId: 'taken' } });
    expect(problemOf(problem)).toBe(problem);
    expect(problem.body()).toEqual({
      type: 'https://medlink.example/problems/conflict',
      title: 'This clashes',
      status: 409,
      detail: expect.any(String),
      medicalId: 'taken',
    });
  });

  it.each(['Canari', undefined, null, { message: 'Canari' }])(
    'anything else thrown (%p) is a 500',
    (thrown) => {
      const problem = problemOf(thrown);
      expect(problem.getStatus()).toBe(500);
      expect(JSON.stringify(problem.body())).not.toContain('Canari');
    },
  );
});
