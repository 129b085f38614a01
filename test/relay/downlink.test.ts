import { until } from '../harness/until.js';
import { startTwoRegions, type TwoRegions } from './two-regions.js';

const DRAFT = {
  familyName: 'Ndiaye',
  givenNames: 'Awa',
  birthDate: '1985-03-12',
  sex: 'female',
  phone: '+221771234567',
};

describe('a patient that two regions hold', () => {
  let world: TwoRegions;
  beforeAll(async () => {
    world = await startTwoRegions();
  });
  afterAll(() => world.stop());

  const created = async () => {
    const { id } = (await (await world.request(world.dkr, 'POST', '/patients', DRAFT)).json()) as {
      id: string;
    };
    return id;
  };
  const shared = async () => {
    const id = await created();
    await world.copyToThs(id);
    await world.settled();
    return id;
  };
  const edit = async (node: 'dkr' | 'ths', id: string, fields: object) => {
    const answer = await world.request(world[node], 'PATCH', `/patients/${id}`, fields);
    expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
  };
  const apart = async (work: () => Promise<void>) => {
    await world.pause(world.dkr);
    await world.pause(world.ths);
    await work();
    await world.resume(world.dkr);
    await world.resume(world.ths);
    await world.settled();
  };
  const everywhere = async (id: string) => {
    const rows = await Promise.all(
      [world.dkr.regionale, world.central, world.ths.regionale].map((database) => world.row(database, id)),
    );
    expect(rows[0]).toEqual(rows[1]);
    expect(rows[2]).toEqual(rows[1]);
    return rows[1];
  };
  const conflictsOf = async (id: string) => {
    const { rows } = await world.central.query('SELECT * FROM conflicts WHERE patient_id = $1 ORDER BY id', [
      id,
    ]);
    const there = await world.dkr.regionale.query(
      'SELECT * FROM conflicts WHERE patient_id = $1 ORDER BY id',
      [id],
    );
    expect(there.rows).toEqual(rows);
    return rows as Record<string, unknown>[];
  };

  it('arrives whole, with its history, and stays the same on every node', async () => {
    const id = await shared();
    expect(await everywhere(id)).toMatchObject({ family_name: 'Ndiaye', phone: '+221771234567' });
    await edit('ths', id, { phone: '+221770000001' });
    await world.settled();
    expect(await everywhere(id)).toMatchObject({ phone: '+221770000001', version: 2 });
    const { rows } = await world.ths.regionale.query<{ origin: string; op: string }>(
      `SELECT origin, op FROM journal WHERE patient_id = $1 AND entity = 'patients' ORDER BY seq`,
      [id],
    );
    expect(rows).toEqual([
      { origin: 'DKR', op: 'insert' },
      { origin: 'THS', op: 'update' },
    ]);
    expect(await conflictsOf(id)).toEqual([]);
  });

  it('and every region is known on every node', async () => {
    await world.settled();
    const regions = async (database: { query: TwoRegions['central']['query'] }) =>
      (await database.query('SELECT * FROM regions ORDER BY code')).rows as { code: string }[];
    const known = await regions(world.central);
    expect(known.map(({ code }) => code)).toEqual(['DKR', 'THS']);
    expect(await regions(world.dkr.regionale)).toEqual(known);
    expect(await regions(world.ths.regionale)).toEqual(known);
  });

  it('merges what they change in different fields while apart', async () => {
    const id = await shared();
    await apart(async () => {
      await edit('dkr', id, { phone: '+221770000002' });
      await edit('ths', id, { email: 'awa@example.org' });
    });
    expect(await everywhere(id)).toMatchObject({
      phone: '+221770000002',
      email: 'awa@example.org',
      version: 3,
    });
    expect(await conflictsOf(id)).toMatchObject([{ state: 'resolved', outcome: 'merge' }]);
  });

  it('keeps both names for a person to decide', async () => {
    const id = await shared();
    await apart(async () => {
      await edit('dkr', id, { usedName: 'Sow' });
      await edit('ths', id, { usedName: 'Diop' });
    });
    const row = await everywhere(id);
    const [conflict, ...rest] = await conflictsOf(id);
    expect(rest).toEqual([]);
    expect(conflict).toMatchObject({ state: 'open', kind: 'fields', severity: 'high' });
    const { used_name: field } = conflict!.fields as Record<string, Record<string, { value: string }>>;
    expect([field!.regional!.value, field!.central!.value].toSorted()).toEqual(['Diop', 'Sow']);
    expect(row!.used_name).toBe(field!.central!.value);
  });

  it('takes the later phone number, and keeps the other one', async () => {
    const id = await shared();
    await apart(async () => {
      await edit('ths', id, { phone: '+221770000003' });
      await edit('dkr', id, { phone: '+221770000004' });
    });
    expect(await everywhere(id)).toMatchObject({ phone: '+221770000004' });
    expect(await conflictsOf(id)).toMatchObject([{ state: 'resolved', outcome: 'policy' }]);
  });

  it.each(['dkr', 'ths'] as const)('restores what %s removed while the other edited it', async (remover) => {
    const id = await shared();
    await apart(async () => {
      const answer = await world.request(world[remover], 'DELETE', `/patients/${id}`);
      expect(answer.status).toBe(204);
      await edit(remover === 'dkr' ? 'ths' : 'dkr', id, { phone: '+221770000005' });
    });
    expect(await everywhere(id)).toMatchObject({ phone: '+221770000005', family_name: 'Ndiaye' });
    expect(await conflictsOf(id)).toMatchObject([{ state: 'open', kind: 'removal' }]);
  });

  it('is fetched anew when this database did not take a change, and holds up nobody else', async () => {
    const [refused, other] = [await shared(), await shared()];
    const { regionale } = world.ths;
    await regionale.query(`ALTER TABLE patients ADD CONSTRAINT local_rule CHECK (phone <> '+221770000666')`);
    await edit('dkr', refused, { phone: '+221770000666' });
    await edit('dkr', refused, { email: 'later@example.org' });
    await edit('dkr', other, { phone: '+221770000007' });
    await world.settled();
    expect(await everywhere(other)).toMatchObject({ phone: '+221770000007' });
    expect(await world.row(regionale, refused)).toMatchObject({ phone: '+221771234567', email: null });
    const { headers } = await world.request(world.ths, 'GET', `/patients/${refused}`);
    expect(headers.get('x-sync-state')).toBe('quarantined');
    const alerts = await regionale.query('SELECT code, count FROM alerts');
    expect(alerts.rows).toContainEqual({ code: 'DELIVERY_REFUSED', count: '1' });

    await regionale.query('ALTER TABLE patients DROP CONSTRAINT local_rule');
    // The next exchange begins with what is stale.
    await world.pause(world.ths);
    const downlink = async () => {
      const status = (await (await world.request(world.ths, 'GET', '/sync/status')).json()) as {
        downlink: { pending: number | null };
      };
      return status.downlink;
    };
    await until(async () => (await downlink()).pending === null, { what: 'the downlink rests' });
    await world.resume(world.ths);
    await until(async () => (await world.row(regionale, refused))?.email === 'later@example.org', {
      what: 'the file has been fetched anew',
    });
    expect(await everywhere(refused)).toMatchObject({ phone: '+221770000666', email: 'later@example.org' });
  });

  it('goes everywhere when it is removed with the knowledge of all', async () => {
    const id = await shared();
    await world.request(world.ths, 'DELETE', `/patients/${id}`);
    await world.settled();
    expect(await everywhere(id)).toBeUndefined();
  });

  it('stays where it was brought back, though another has removed it: everybody gets it back', async () => {
    const id = await shared();
    const remove = (node: 'dkr' | 'ths') =>
      world.request(world[node], 'DELETE', `/patients/${id}?reason=double`);
    await apart(async () => {
      expect((await remove('dkr')).status).toBe(204);
      expect((await remove('ths')).status).toBe(204);
      await world.ths.regionale.query(
        `INSERT INTO patients SELECT (jsonb_populate_record(NULL::patients, before)).*
         FROM journal WHERE entity_id = $1 AND op = 'remove'`,
        [id],
      );
      await world.resume(world.dkr);
      await until(async () => (await world.row(world.central, id)) === undefined, {
        what: 'DKR has removed it',
      });
    });
    expect(await everywhere(id)).toMatchObject({ family_name: 'Ndiaye' });
  });

  it('keeps both of two patients with one medical id, and asks', async () => {
    const draft = { ...DRAFT, medicalId: 'CARTE-77' };
    await world.pause(world.dkr);
    await world.pause(world.ths);
    const ids = await Promise.all(
      [world.dkr, world.ths].map(async (node) => {
        const answer = await world.request(node, 'POST', '/patients', draft);
        expect(answer.status).toBe(201);
        return ((await answer.json()) as { id: string }).id;
      }),
    );
    await world.resume(world.dkr);
    await world.resume(world.ths);
    await world.settled();
    const { rows } = await world.central.query('SELECT id FROM patients WHERE id = ANY($1)', [ids]);
    expect(rows).toHaveLength(2);
    const conflicts = async () => {
      const sql = 'SELECT kind, state FROM conflicts WHERE patient_id = ANY($1) OR other_id = ANY($1)';
      return (await world.central.query(sql, [ids])).rows;
    };
    await until(async () => (await conflicts()).length > 0, { what: 'the conflict is opened' });
    expect(await conflicts()).toEqual([{ kind: 'identity', state: 'open' }]);
    // Nor does it keep one of them from being copied to where the other one is.
    await world.copyToThs(ids[0]!);
    await world.settled();
    expect(await everywhere(ids[0]!)).toMatchObject({ medical_id: 'CARTE-77' });
  });
});
