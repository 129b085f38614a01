import { call } from '../accounts/api.js';
import { ADMIN, logIn } from '../harness/application.js';
import { NodeInProcess } from '../harness/node-in-process.js';
import { until } from '../harness/until.js';
import { ConflictedNode } from './conflict-api.js';

const reason = 'Carte d’identité vue';

describe('a conflict between a region and central', () => {
  let region: ConflictedNode;
  let central: NodeInProcess;
  let token: string;

  beforeAll(async () => {
    region = await ConflictedNode.start();
    central = await NodeInProcess.start({
      MEDLINK_NODE: 'central',
      DATABASE_DEFAULT_URL: region.node.config.centralUrl!,
    });
    token = await logIn(central.url, ADMIN);
  }, 60_000);

  afterAll(async () => {
    await central.remove();
    await region.stop();
  });

  const atCentral = (request: string, body?: unknown) => call(central.url, request, { token, body });
  const inRegion = (request: string, body?: unknown) => region.as('admin_regional')(request, body);
  const link = async (action: string) => {
    expect((await inRegion(`POST /sync/${action}`)).status).toBe(200);
  };
  const soon = <T>(what: string, read: () => Promise<T>) => until(read, { what, timeoutMs: 20_000 });
  const conflictsOf = async (ask: typeof inRegion, patientId: string, query = '') =>
    (await ask(`GET /conflicts?patientId=${patientId}${query}`)).body.items as any[];
  const names = async (id: string) => [
    (await inRegion(`GET /patients/${id}`)).body.familyName,
    (await atCentral(`GET /patients/${id}`)).body.familyName,
  ];

  /** Both change the name while the link is paused. */
  const disagree = async () => {
    const id = await region.register();
    await soon(
      'central has the patient',
      async () => (await atCentral(`GET /patients/${id}`)).status === 200,
    );
    await link('pause');
    await region.as('medecin')(`PATCH /patients/${id}`, { familyName: 'Régional' });
    expect((await atCentral(`PATCH /patients/${id}`, { familyName: 'Central' })).status).toBe(200);
    await link('resume');
    const [conflict] = await soon('the region sees the conflict', async () => {
      const found = await conflictsOf(inRegion, id, '&state=open');
      return found.length > 0 ? found : undefined;
    });
    return { id, conflict };
  };

  it('is seen by both with both values, and the region’s decision reaches central', async () => {
    const { id, conflict } = await disagree();
    expect(conflict.fields.familyName).toMatchObject({
      base: "N'Diaye",
      regional: { value: 'Régional', node: 'DKR', actor: region.person('medecin').id },
      central: { value: 'Central', node: 'central' },
      kept: 'central',
      current: 'Central',
    });
    const read = await region.as('medecin')(`GET /patients/${id}`);
    expect(read.headers.get('x-sync-state')).toBe('disputed');
    expect(read.body.disputed.familyName[0].regional.value).toBe('Régional');
    expect((await inRegion('GET /sync/status')).body.openConflicts).toBe(1);
    expect((await atCentral('GET /sync/status')).body.openConflicts).toBe(1);

    const decision = { fields: { familyName: { take: 'regional' } }, reason };
    expect((await inRegion(`POST /conflicts/${conflict.id}/resolve`, decision)).status).toBe(200);
    const decided = await soon('central has the decision', async () => {
      const [found] = await conflictsOf(atCentral, id, '&state=resolved');
      return found;
    });
    expect(decided).toMatchObject({
      reason,
      decidedNode: 'DKR',
      decisions: { familyName: { take: 'regional' } },
    });
    expect(await names(id)).toEqual(['Régional', 'Régional']);
    await soon(
      'all is synced',
      async () => (await inRegion(`GET /patients/${id}`)).headers.get('x-sync-state') === 'synced',
    );
  });

  it('decided at central reaches the region, whose author is told; reopened in the region, it is open at both', async () => {
    const { id, conflict } = await disagree();
    const decision = { fields: { familyName: { take: 'central' } }, reason };
    const resolved = await atCentral(`POST /conflicts/${conflict.id}/resolve`, decision);
    expect([resolved.status, resolved.body.decidedNode]).toEqual([200, 'central']);
    const told = await soon('the author is told', async () => {
      const { body } = await region.as('medecin')('GET /notifications');
      return body.items.find(({ conflictId }: any) => conflictId === conflict.id);
    });
    expect(told).toMatchObject({ fields: ['familyName'], reason, outcome: 'person' });
    expect(await names(id)).toEqual(['Central', 'Central']);

    expect((await inRegion(`POST /conflicts/${conflict.id}/reopen`, { reason })).status).toBe(200);
    await soon('central has it open', async () => (await conflictsOf(atCentral, id, '&state=open'))[0]);
    const third = { fields: { familyName: { value: 'Troisième' } }, reason };
    expect((await atCentral(`POST /conflicts/${conflict.id}/resolve`, third)).status).toBe(200);
    await soon('the region has the third value', async () =>
      (await names(id)).every((name) => name === 'Troisième'),
    );
  });

  it('decided otherwise on both sides is a conflict again, and no decision is lost', async () => {
    const { id, conflict } = await disagree();
    await link('pause');
    const third = { fields: { familyName: { value: 'Troisième' } }, reason };
    expect((await atCentral(`POST /conflicts/${conflict.id}/resolve`, third)).status).toBe(200);
    const regional = { fields: { familyName: { take: 'regional' } }, reason };
    expect((await inRegion(`POST /conflicts/${conflict.id}/resolve`, regional)).status).toBe(200);
    await link('resume');
    const again = await soon('it is a conflict again', async () => {
      const found = await conflictsOf(inRegion, id, '&state=open');
      return found.find((one) => one.id !== conflict.id);
    });
    expect(again.fields.familyName).toMatchObject({
      regional: { value: 'Régional', actor: region.person('admin_regional').id },
      central: { value: 'Troisième' },
    });
    await soon('both have central’s value', async () =>
      (await names(id)).every((name) => name === 'Troisième'),
    );
  });

  it('is open again when one kept what is in force and the other did not, and both are told', async () => {
    const { id, conflict } = await disagree();
    await link('pause');
    const kept = { fields: { familyName: { take: 'central' } }, reason: 'Comme au registre' };
    const changed = { fields: { familyName: { take: 'regional' } }, reason };
    await soon(
      'central shows it',
      async () => (await conflictsOf(atCentral, id, '&state=open')).length === 1,
    );
    expect((await atCentral(`POST /conflicts/${conflict.id}/resolve`, kept)).status).toBe(200);
    expect((await inRegion(`POST /conflicts/${conflict.id}/resolve`, changed)).status).toBe(200);
    await link('resume');

    for (const ask of [atCentral, inRegion]) {
      await soon('it is open again', async () => {
        const found = (await conflictsOf(ask, id, '&state=open')).find((one) => one.id === conflict.id);
        return found?.version > 2 && found;
      });
    }
    const [atBoth] = await Promise.all([
      conflictsOf(atCentral, id).then(([found]) => found),
      conflictsOf(inRegion, id).then(([found]) => found),
    ]);
    expect(atBoth).toMatchObject({ outcome: null, decisions: null, decidedBy: null, reason: null });
    const { rows } = await region.node.central.query(
      `SELECT op, coalesce(after, before) ->> 'reason' AS reason FROM journal
       WHERE entity = 'conflicts' AND entity_id = $1 AND op IN ('update', 'noop') ORDER BY seq`,
      [conflict.id],
    );
    expect(rows).toEqual([
      { op: 'update', reason: 'Comme au registre' },
      { op: 'noop', reason },
    ]);
  });
});
