import type { Client } from 'pg';
import { Patient } from '../../src/patients/patient.entity.js';
import { DataRouter } from '../../src/routing/data-router.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { until } from '../harness/until.js';
import { aPatient } from '../journal/captured-database.js';

interface Held {
  id: string;
  state: string;
  code: string | null;
  attempts: number;
  entityId: string;
  op: string;
  fields: string[];
  decidedBy: string | null;
  decisionReason: string | null;
}

/** A change that central can never accept holds back its own patient, and nobody else. */
describe('quarantine', () => {
  let node: TestApplication;
  let token: string;

  beforeEach(async () => {
    node = await startApplication();
    token = await node.adminToken();
    await until(() => node.app.get(DataRouter).central(Patient), { what: 'central is open' });
    await node.central.query(
      `ALTER TABLE patients ADD CONSTRAINT no_poison CHECK (notes IS DISTINCT FROM 'poison')`,
    );
  });
  afterEach(() => node.stop());

  const write = (
    work: (manager: {
      insert(p: Patient | Patient[]): Promise<unknown>;
      save(p: object): Promise<unknown>;
      remove(p: Patient): Promise<unknown>;
    }) => Promise<unknown>,
  ) =>
    node.app.get(DataRouter).transaction(Patient, { actor: 'test' }, (manager) =>
      work({
        insert: (patients) => manager.insert(Patient, patients),
        save: (patient) => manager.save(Patient, patient),
        remove: (patient) => manager.remove(patient),
      }),
    );
  const call = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${node.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.json(), headers: answer.headers };
  };
  const quarantine = async (query = '') =>
    ((await call('GET', `/sync/quarantine${query}`)).body as { items: Held[] }).items;
  const rowsOf = async (side: Client) =>
    (
      await side.query<{ row: Record<string, unknown> }>(
        'SELECT to_jsonb(p) AS row FROM patients p ORDER BY id',
      )
    ).rows.map(({ row }) => row);
  const whenAllDelivered = () =>
    until(
      async () =>
        ((await call('GET', '/sync/status')).body as { uplink: { pending: number } }).uplink.pending === 0,
      {
        what: 'everything is delivered',
        timeoutMs: 30_000,
      },
    );
  /** Whoever looks for identifiers given twice has seen all that is at central now. */
  const whenWatched = () =>
    until(
      async () =>
        (await node.central.query('SELECT FROM identity_watch WHERE seq >= (SELECT max(seq) FROM journal)'))
          .rowCount === 1,
      { what: 'identifiers have been compared' },
    );
  const syncState = async (id: string) => (await call('GET', `/patients/${id}`)).headers.get('x-sync-state');
  const cure = () => node.central.query('ALTER TABLE patients DROP CONSTRAINT no_poison');

  it('holds the refused change and the later ones of its patient, whole; everybody else flows', async () => {
    const [poison, other] = [aPatient({ notes: 'poison' }), aPatient()];
    await write((manager) => manager.insert(other));
    await write((manager) => manager.insert(poison));
    await write((manager) => manager.save({ id: poison.id, phone: '+221770000001' }));
    await write((manager) => manager.save({ id: other.id, notes: 'fine' }));
    await whenAllDelivered();

    expect(await quarantine()).toMatchObject([
      { state: 'refused', code: '23514', attempts: 1, entityId: poison.id, op: 'insert' },
      { state: 'waiting', code: null, attempts: 0, entityId: poison.id, op: 'update', fields: ['phone'] },
    ]);
    expect(await rowsOf(node.central)).toMatchObject([{ id: other.id, notes: 'fine' }]);
    expect((await call('GET', '/sync/status')).body).toMatchObject({ quarantined: 2, link: { state: 'up' } });
    expect([await syncState(poison.id), await syncState(other.id)]).toEqual(['quarantined', 'synced']);
    expect((await call('GET', '/alerts')).body).toMatchObject({
      items: [{ code: 'CHANGE_REFUSED', count: 1, severity: 'critical', acknowledgedAt: null }],
    });
  });

  it('a retry that fails again counts its attempt; after the cause is corrected, the lane is applied in order', async () => {
    const poison = aPatient({ notes: 'poison' });
    await write((manager) => manager.insert(poison));
    await write((manager) => manager.save({ id: poison.id, phone: '+221770000001', version: 2 }));
    await whenAllDelivered();
    const [head] = await quarantine();
    const retry = (reason: string) => call('POST', `/sync/quarantine/${head!.id}/retry`, { reason });

    expect(await retry('let us see')).toMatchObject({
      status: 200,
      body: { applied: 0, refused: 1, waiting: 1 },
    });
    expect((await quarantine())[0]).toMatchObject({ state: 'refused', attempts: 2 });
    await cure();
    expect(await retry('the rule was wrong')).toMatchObject({
      status: 200,
      body: { applied: 2, refused: 0 },
    });
    expect(await quarantine()).toEqual([]);
    expect(await quarantine('?state=applied')).toMatchObject([
      { decidedBy: expect.any(String) as string, decisionReason: 'the rule was wrong' },
      { op: 'update' },
    ]);
    expect(await rowsOf(node.central)).toEqual(await rowsOf(node.regionale));
    expect(await syncState(poison.id)).toBe('synced');
    expect(await retry('again')).toMatchObject({ status: 409 });
    await write((manager) => manager.save({ id: poison.id, notes: 'goes on', version: 3 }));
    await whenAllDelivered();
    expect(await rowsOf(node.central)).toMatchObject([{ notes: 'goes on' }]);
  });

  it('a transaction is held whole, and so are the lanes of everyone in it', async () => {
    const [poison, companion] = [aPatient({ notes: 'poison' }), aPatient()];
    await write((manager) => manager.insert([companion, poison]));
    await write((manager) => manager.save({ id: companion.id, notes: 'later' }));
    await whenAllDelivered();
    expect(await rowsOf(node.central)).toEqual([]);
    expect((await quarantine()).map(({ state, entityId }) => [state, entityId])).toEqual([
      ['refused', companion.id],
      ['refused', poison.id],
      ['waiting', companion.id],
    ]);
    await cure();
    const [head] = await quarantine();
    await call('POST', `/sync/quarantine/${head!.id}/retry`, { reason: 'cured' });
    expect(await rowsOf(node.central)).toEqual(await rowsOf(node.regionale));
  });

  it('what stands before a change that has to wait is not held behind it', async () => {
    const [held, other, poison] = [aPatient({ notes: 'poison' }), aPatient(), aPatient({ notes: 'poison' })];
    await write((manager) => manager.insert(held));
    await whenAllDelivered();
    await call('POST', '/sync/pause');
    await write((manager) => manager.insert(other));
    await write(async (manager) => {
      await manager.save({ id: other.id, phone: '+221770000001', version: 2 });
      await manager.save({ id: held.id, phone: '+221770000002', version: 2 });
    });
    await write((manager) => manager.insert(poison));
    await call('POST', '/sync/resume');
    await whenAllDelivered();

    expect(await rowsOf(node.central)).toMatchObject([{ id: other.id, phone: other.phone }]);
    expect((await quarantine()).map(({ state, op, entityId }) => [state, op, entityId])).toEqual([
      ['refused', 'insert', held.id],
      ['waiting', 'update', other.id],
      ['waiting', 'update', held.id],
      ['refused', 'insert', poison.id],
    ]);
    await cure();
    for (const { id } of [(await quarantine())[0]!, (await quarantine())[3]!])
      await call('POST', `/sync/quarantine/${id}/retry`, { reason: 'cured' });
    expect(await quarantine()).toEqual([]);
    expect(await rowsOf(node.central)).toEqual(await rowsOf(node.regionale));
  });

  it('an identifier that was given again while its former owner’s removal waits is nobody’s conflict', async () => {
    const [former, next] = [aPatient(), aPatient()];
    next.medicalId = former.medicalId;
    await write((manager) => manager.insert(former));
    await write((manager) => manager.save({ id: former.id, notes: 'poison' }));
    await whenAllDelivered();
    await write((manager) => manager.remove(former));
    await write((manager) => manager.insert(next));
    await whenAllDelivered();
    expect(await rowsOf(node.central)).toHaveLength(2);
    await whenWatched();
    expect((await node.central.query('SELECT FROM conflicts')).rowCount).toBe(0);
    await cure();
    const [head] = await quarantine();
    await call('POST', `/sync/quarantine/${head!.id}/retry`, { reason: 'cured' });
    expect(await rowsOf(node.central)).toMatchObject([{ id: next.id }]);
  });

  it('but two who have it at once are, though one node gave it to both', async () => {
    await write((manager) => manager.insert(aPatient()));
    await whenAllDelivered();
    const copies = await node.central.query<{ id: string }>(
      `INSERT INTO patients SELECT (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(), 'medical_id', 'TWICE'))).*
       FROM patients p, generate_series(1, 2) RETURNING id`,
    );
    await whenWatched();
    const clashes = await node.central.query<{ entity_id: string; other_id: string }>(
      `SELECT entity_id, other_id FROM conflicts WHERE kind = 'identity'`,
    );
    expect(clashes.rows.map(({ entity_id: one, other_id: other }) => [one, other].sort())).toEqual([
      copies.rows.map(({ id }) => id).sort(),
    ]);
  });

  it('what was refused behind another change of a patient is not discarded before that', async () => {
    const patient = aPatient({ notes: 'poison' });
    await write((manager) => manager.insert(patient));
    await write((manager) => manager.save({ id: patient.id, phone: '+221770000001' }));
    await whenAllDelivered();
    // As one that is larger than a chunk is noted, when something else in it is refused.
    await node.central.query(`UPDATE quarantine SET state = 'refused', code = '23514' WHERE op = 'update'`);
    const [, behind] = await quarantine();
    expect((await call('POST', `/sync/quarantine/${behind!.id}/discard`, { reason: 'x' })).status).toBe(409);
    expect(await quarantine()).toHaveLength(2);
    expect(await rowsOf(node.central)).toEqual([]);
  });

  it('a refused update can be discarded with a reason: central’s value stays, and a verdict says so', async () => {
    const patient = aPatient({ notes: 'first' });
    await write((manager) => manager.insert(patient));
    await write((manager) => manager.save({ id: patient.id, notes: 'poison' }));
    await write((manager) => manager.save({ id: patient.id, phone: '+221770000009' }));
    await whenAllDelivered();
    const [refused, waiting] = await quarantine();
    const discard = (id: string, body: object) => call('POST', `/sync/quarantine/${id}/discard`, body);
    expect((await discard(refused!.id, {})).status).toBe(422);
    expect((await discard(waiting!.id, { reason: 'wrong one' })).status).toBe(409);
    expect(await discard(refused!.id, { reason: 'not a value' })).toMatchObject({
      status: 200,
      body: { applied: 1 },
    });
    expect(await rowsOf(node.central)).toMatchObject([{ notes: 'first', phone: '+221770000009' }]);
    const verdict = await node.central.query(
      `SELECT op, after, reason FROM journal WHERE origin = 'central' AND entity = 'patients' ORDER BY seq LIMIT 1`,
    );
    expect(verdict.rows).toEqual([{ op: 'merge', after: { notes: 'first' }, reason: 'not a value' }]);
    const isToldSo = async () => (await rowsOf(node.regionale))[0]?.notes === 'first';
    await until(isToldSo, { what: 'the region is told which value stays' });
    expect(await rowsOf(node.regionale)).toEqual(await rowsOf(node.central));
    expect(await quarantine('?state=discarded')).toMatchObject([
      { id: refused!.id, decisionReason: 'not a value' },
    ]);
  });

  it('its lists, and those of the alerts, go on page by page, and refuse a forged cursor', async () => {
    await node.regionale.query(
      `INSERT INTO alerts (code, subject, first_at)
       SELECT 'CHANGE_REFUSED', subject, now() + nth * interval '1 second'
       FROM unnest('{a,b,c}'::text[]) WITH ORDINALITY AS made(subject, nth)`,
    );
    const subjects: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await call('GET', `/alerts?limit=2${cursor && `&cursor=${cursor}`}`);
      const { items, nextCursor } = page.body as { items: { subject: string }[]; nextCursor: string | null };
      subjects.push(...items.map(({ subject }) => subject));
      cursor = nextCursor;
    }
    expect(subjects).toEqual(['c', 'b', 'a']);
    const forged = Buffer.from('["x"]').toString('base64url');
    expect((await call('GET', `/alerts?cursor=${forged}`)).status).toBe(400);
    expect((await call('GET', `/sync/quarantine?cursor=${forged}`)).status).toBe(400);
  });

  it('a state that there is not is a filter that cannot be understood, not a value', async () => {
    for (const path of ['/alerts', '/sync/quarantine'])
      expect(await call('GET', `${path}?state=lost`)).toMatchObject({
        status: 400,
        body: { errors: [{ path: 'state' }] },
      });
  });

  it('what creates a record cannot be discarded', async () => {
    await write((manager) => manager.insert(aPatient({ notes: 'poison' })));
    await whenAllDelivered();
    const [head] = await quarantine();
    expect((await call('POST', `/sync/quarantine/${head!.id}/discard`, { reason: 'x' })).status).toBe(409);
    expect(await quarantine()).toHaveLength(1);
  });

  it('a burst of refused changes among accepted ones is one alert, and the accepted ones all arrive', async () => {
    for (let batch = 0; batch < 10; batch++) {
      await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          write((manager) => manager.insert(aPatient({ notes: index % 2 ? 'poison' : null }))),
        ),
      );
    }
    await whenAllDelivered();
    expect(await rowsOf(node.central)).toHaveLength(200);
    expect((await call('GET', '/sync/status')).body).toMatchObject({ quarantined: 200 });
    expect((await call('GET', '/alerts')).body).toMatchObject({ items: [{ count: 200 }] });
  });

  it('a transaction larger than a chunk is held whole too, and what follows flows', async () => {
    const many = Array.from({ length: 1_300 }, () => aPatient());
    many[700]!.notes = 'poison';
    const after = aPatient();
    await write(async (manager) => {
      for (let from = 0; from < many.length; from += 100) await manager.insert(many.slice(from, from + 100));
    });
    await write((manager) => manager.insert(after));
    await whenAllDelivered();
    expect(await rowsOf(node.central)).toMatchObject([{ id: after.id }]);
    expect((await call('GET', '/sync/status')).body).toMatchObject({ quarantined: 1_300 });
    await cure();
    const [head] = await quarantine('?limit=1');
    const outcome = await call('POST', `/sync/quarantine/${head!.id}/retry`, { reason: 'cured' });
    expect(outcome).toMatchObject({ status: 200, body: { applied: 1_300 } });
    expect(await rowsOf(node.central)).toEqual(await rowsOf(node.regionale));
  });

  it('a large transaction is not held for a small one that is refused right behind it', async () => {
    const many = Array.from({ length: 700 }, () => aPatient());
    const poison = aPatient();
    await write((manager) => manager.insert(poison));
    await write(async (manager) => {
      for (let from = 0; from < many.length; from += 100) await manager.insert(many.slice(from, from + 100));
    });
    await write((manager) => manager.save({ id: poison.id, notes: 'poison' }));
    await whenAllDelivered();
    expect(await rowsOf(node.central)).toHaveLength(701);
    expect(await quarantine()).toMatchObject([{ state: 'refused', entityId: poison.id, op: 'update' }]);
  });
});
