import type pg from 'pg';
import { startApplication, type TestApplication } from '../harness/application.js';
import { until } from '../harness/until.js';

/** Two regions on one central: DKR and THS. */
export interface TwoRegions {
  readonly dkr: TestApplication;
  readonly ths: TestApplication;
  /** The one central of both. */
  readonly central: pg.Client;
  request(node: TestApplication, method: string, path: string, body?: object): Promise<Response>;
  /** Makes THS a host of a patient of DKR, and waits until it has the file. */
  copyToThs(patientId: string): Promise<void>;
  /** Waits until nothing is on its way between the three. */
  settled(): Promise<void>;
  pause(node: TestApplication): Promise<void>;
  resume(node: TestApplication): Promise<void>;
  row(database: pg.Client, patientId: string): Promise<Record<string, unknown> | undefined>;
  stop(): Promise<void>;
}

export async function startTwoRegions(): Promise<TwoRegions> {
  const dkr = await startApplication();
  const ths = await startApplication({ MEDLINK_REGION: 'THS', DATABASE_DEFAULT_URL: dkr.config.centralUrl! });
  const { central } = dkr;
  const tokens = new Map([
    [dkr, await dkr.adminToken()],
    [ths, await ths.adminToken()],
  ]);
  const request: TwoRegions['request'] = (node, method, path, body) =>
    fetch(`${node.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${tokens.get(node)!}`,
        ...(body && {
          'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  const row: TwoRegions['row'] = async (database, patientId) => {
    const { rows } = await database.query<{ row: Record<string, unknown> }>(
      'SELECT to_jsonb(p) AS row FROM patients p WHERE id = $1',
      [patientId],
    );
    return rows[0]?.row;
  };
  return {
    dkr,
    ths,
    central,
    request,
    row,
    async copyToThs(patientId) {
      await until(async () => (await row(central, patientId)) !== undefined, {
        what: 'central has the patient',
      });
      await central.query('BEGIN');
      await central.query('SELECT hosts_open_homes(ARRAY[$1]::uuid[])', [patientId]);
      await central.query(
        `INSERT INTO hosts (id, patient_id, region, kind, created_at, created_by)
         VALUES (gen_random_uuid(), $1, 'THS', 'copy', now(), 'test')`,
        [patientId],
      );
      await central.query('COMMIT');
      await until(async () => (await row(ths.regionale, patientId)) !== undefined, {
        what: 'THS has the copy',
      });
    },
    async settled() {
      for (const node of [dkr, ths]) {
        await until(async () => isSettled(node, central), { what: `${node.config.region} is settled` });
      }
      for (const node of [dkr, ths]) {
        await until(async () => isSettled(node, central), { what: `${node.config.region} is settled` });
      }
    },
    async pause(node) {
      await request(node, 'POST', '/sync/pause');
    },
    async resume(node) {
      await request(node, 'POST', '/sync/resume');
    },
    async stop() {
      await ths.stop();
      await dkr.stop();
    },
  };
}

/** Central has all of the node's own entries, and the node all that central has for it. */
async function isSettled({ config, regionale }: TestApplication, central: pg.Client): Promise<boolean> {
  const own = await regionale.query<{ last: string; down: string }>(
    `SELECT coalesce((SELECT max(seq) FROM journal WHERE origin = $1), 0) AS last,
            coalesce((SELECT seq FROM replication_cursors WHERE origin = 'central'), 0) AS down`,
    [config.region],
  );
  const there = await central.query<{ up: string; down: string }>(
    `SELECT coalesce((SELECT seq FROM replication_cursors WHERE origin = $1), 0) AS up,
            coalesce((SELECT max(seq) FROM deliveries WHERE region = $1), 0) AS down`,
    [config.region],
  );
  const [{ last, down }, peer] = [own.rows[0]!, there.rows[0]!];
  return Number(peer.up) >= Number(last) && Number(down) >= Number(peer.down);
}
