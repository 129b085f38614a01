import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import {
  type Answer,
  forgetOldKeys,
  idempotent,
  type IdempotentRequest,
} from '../../src/http/idempotency.js';
import type { Problem } from '../../src/http/problem.js';
import { until } from '../harness/until.js';
import { type ProbeApplication, startProbe } from './probe-application.js';

let node: ProbeApplication;

beforeAll(async () => {
  node = await startProbe();
  await node.router.home.query('CREATE TABLE effects (id uuid PRIMARY KEY, key text NOT NULL)');
});

afterAll(() => node.stop());

function request(changes: Partial<IdempotentRequest> = {}): IdempotentRequest {
  return { actor: 'awa', key: randomUUID(), route: 'POST /probes', body: { name: 'Binta' }, ...changes };
}

/** One HTTP request's worth: its own transaction, and an effect that can be counted. */
function perform(
  what: IdempotentRequest,
  meanwhile: () => Promise<void> = async () => undefined,
): Promise<Answer> {
  return node.router.home.transaction((manager) =>
    idempotent(manager, what, async () => {
      const id = await effect(manager, what);
      await meanwhile();
      return { status: 201, headers: { location: `/probes/${id}` }, body: { id, name: 'Binta', b: 1, a: 2 } };
    }),
  );
}

async function effect(manager: EntityManager, { key }: IdempotentRequest): Promise<string> {
  const id = randomUUID();
  await manager.query('INSERT INTO effects (id, key) VALUES ($1, $2)', [id, key ?? 'none']);
  return id;
}

async function count(table: 'effects' | 'idempotency_keys', key: string | undefined): Promise<number> {
  const rows = await node.router.home.query(`SELECT 1 FROM ${table} WHERE key = $1`, [key]);
  return rows.length;
}

async function problemOf(work: Promise<unknown>): Promise<{ status: number; type: string }> {
  return work.then(
    () => Promise.reject(new Error('It went through')),
    (error: unknown) => {
      const { type } = error as Problem;
      return { status: (error as Problem).getStatus(), type };
    },
  );
}

it('a retry gets the first answer, and nothing happens twice', async () => {
  const what = request();
  const first = await perform(what);
  const second = await perform(what);
  expect(second).toEqual({ ...first, headers: { ...first.headers, 'idempotency-replayed': 'true' } });
  expect(JSON.stringify(second.body)).toBe(JSON.stringify(first.body));
  expect(await count('effects', what.key)).toBe(1);
});

it('of two at once, the second waits for the first and gets its answer', async () => {
  const what = request();
  const first = held(what);
  await first.started;
  const second = perform(what);
  await until(someoneWaits, { what: 'the second to wait for the first' });
  first.release();
  expect((await second).body).toEqual((await first.answer).body);
  expect(await count('effects', what.key)).toBe(1);
});

it('of many at once, one takes effect', async () => {
  const what = request();
  const answers = await Promise.all(Array.from({ length: 10 }, () => perform(what)));
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  expect(answers.filter(({ headers }) => headers['idempotency-replayed']).length).toBe(9);
  expect(await count('effects', what.key)).toBe(1);
});

it('work that fails leaves neither effect nor key', async () => {
  const what = request();
  const failing = perform(what, () => Promise.reject(new Error('the disk broke')));
  await expect(failing).rejects.toThrow('the disk broke');
  expect([await count('effects', what.key), await count('idempotency_keys', what.key)]).toEqual([0, 0]);
});

it('when the first fails, the one that waited for it does the work', async () => {
  const what = request();
  const first = held(what);
  await first.started;
  const second = perform(what);
  await until(someoneWaits, { what: 'the second to wait for the first' });
  const failure = expect(first.answer).rejects.toThrow('the disk broke');
  first.fail(new Error('the disk broke'));
  await failure;
  expect((await second).headers).not.toHaveProperty('idempotency-replayed');
  expect(await count('effects', what.key)).toBe(1);
});

it('a key with another body, or on another path, is a 422', async () => {
  const what = request();
  await perform(what);
  const reused = { status: 422, type: 'https://medlink.example/problems/idempotency-key-reused' };
  expect(await problemOf(perform({ ...what, body: { name: 'Coumba' } }))).toEqual(reused);
  expect(await problemOf(perform({ ...what, route: 'POST /users' }))).toEqual(reused);
  expect(await count('effects', what.key)).toBe(1);
});

it('the same body with its members in another order is the same body', async () => {
  const what = request({ body: { a: 1, b: { c: [1, 2], d: 2 } } });
  await perform(what);
  const again = await perform({ ...what, body: { b: { d: 2, c: [1, 2] }, a: 1 } });
  expect(again.headers).toHaveProperty('idempotency-replayed');
});

it('keys of different people do not meet', async () => {
  const what = request();
  await perform(what);
  await perform({ ...what, actor: 'moussa' });
  expect(await count('effects', what.key)).toBe(2);
});

it('without a key the work simply runs', async () => {
  const answer = await perform(request({ key: undefined }));
  expect(answer.status).toBe(201);
});

it.each([
  ['', 'empty'],
  ['x'.repeat(256), 'too long'],
  ['clé', 'not ASCII'],
  ['a\nb', 'not printable'],
])('the key %j is a 400, being %s', async (key) => {
  expect(await problemOf(perform(request({ key })))).toMatchObject({ status: 400 });
  expect(await count('idempotency_keys', key)).toBe(0);
});

it('old keys are forgotten, and recent ones are not', async () => {
  const [old, recent] = [request(), request()];
  await perform(old);
  await perform(recent);
  const age = `UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = $1`;
  await node.router.home.query(age, [old.key]);
  expect(await forgetOldKeys(node.router.home.manager, 24)).toBe(1);
  expect([await count('idempotency_keys', old.key), await count('idempotency_keys', recent.key)]).toEqual([
    0, 1,
  ]);
});

/** A request that has done its work, and stays in its transaction until it is told how to end. */
function held(what: IdempotentRequest) {
  const started = deferred();
  const end = deferred();
  const answer = perform(what, () => {
    started.resolve();
    return end.promise;
  });
  return {
    started: started.promise,
    answer,
    release: () => end.resolve(),
    fail: (error: Error) => end.reject(error),
  };
}

async function someoneWaits(): Promise<boolean> {
  const rows = await node.router.home.query(
    `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'transactionid'`,
  );
  return rows.length === 1;
}

function deferred() {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
