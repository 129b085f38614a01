import { call } from '../../accounts/api.js';
import { until } from '../../harness/until.js';
import { withSession, type Region, type World } from '../world.js';
import { pendingOf, waitingFor } from './drain.js';

/** A link that has just healed is noticed with its next sign of life. Milliseconds. */
const NOTICED_WITHIN_MS = 20_000;
/** How many patients of each kind are asked for. */
const SAMPLE = 5;

type Facts = Readonly<Record<string, unknown>>;

/** I11: what the status says equals what SQL counts. Gives the figures that differ, when they go on to differ. */
export async function statusTellsTheTruth(world: World): Promise<string[]> {
  const told = await Promise.all(world.regions.map((region) => differences(world, region)));
  return told.flat();
}

async function differences(world: World, region: Region): Promise<string[]> {
  let found: string[] = [];
  const agrees = async () => {
    found = compare(region.code, await toldBy(region), await countedIn(world, region));
    return found.length === 0;
  };
  const deadline = until(agrees, { what: 'the status agrees', timeoutMs: NOTICED_WITHIN_MS });
  const [outcome] = await Promise.allSettled([deadline]);
  if (outcome.status === 'fulfilled') return patientsTold(world, region);
  return found.length > 0 ? found : [(outcome.reason as Error).message];
}

function compare(region: string, told: Facts, counted: Facts): string[] {
  return Object.keys(counted)
    .filter((fact) => told[fact] !== counted[fact])
    .map((fact) => `${region} says ${fact}: ${String(told[fact])}; it is ${String(counted[fact])}`);
}

async function toldBy({ node, administrator: { token } }: Region): Promise<Facts> {
  const status = (await call(node.url, 'GET /sync/status', { token })).body;
  const quarantine = await call(node.url, 'GET /sync/quarantine?limit=1&total=true', { token });
  const alerts = await call(node.url, 'GET /alerts?state=open', { token });
  const metrics = await (await fetch(`${node.url}/metrics`)).text();
  return {
    link: status.link.state,
    pending: status.uplink.pending,
    'waiting at central': status.downlink.pending,
    'pending in the metrics': Number(/^medlink_uplink_pending_entries (\d+)/m.exec(metrics)?.[1]),
    quarantined: status.quarantined,
    'in the list of quarantine': quarantine.body.total,
    'made outside': status.madeOutside,
    'alert of refused changes': alerts.body.items.some(
      (alert: { code: string }) => alert.code === 'CHANGE_REFUSED',
    ),
  };
}

async function countedIn(world: World, region: Region): Promise<Facts> {
  const { total, refused } = await heldOf(world, region);
  const outside = await withSession(region.databaseUrl, async (session) => {
    const { rows } = await session.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM journal WHERE captured_by = 'database'`,
    );
    return rows[0]!.count;
  });
  const pending = await pendingOf(world, region);
  return {
    link: 'up',
    pending,
    'waiting at central': await waitingFor(world, region),
    'pending in the metrics': pending,
    quarantined: total,
    'in the list of quarantine': total,
    'made outside': outside,
    // An alert stays until someone acknowledges it.
    ...(refused > 0 && { 'alert of refused changes': true }),
  };
}

function heldOf(
  world: World,
  { code }: Region,
): Promise<{ total: number; refused: number; lanes: string[] }> {
  return withSession(world.centralUrl, async (session) => {
    const { rows } = await session.query<{ total: number; refused: number; lanes: string[] }>(
      `SELECT count(*)::int AS total, count(*) FILTER (WHERE state = 'refused')::int AS refused,
              coalesce(array_agg(DISTINCT lane::text), '{}') AS lanes
       FROM quarantine WHERE origin = $1 AND state IN ('refused', 'waiting')`,
      [code],
    );
    return rows[0]!;
  });
}

/** What a clinician is told of some patients: their state, and their whole history. */
async function patientsTold(world: World, region: Region): Promise<string[]> {
  const { lanes } = await heldOf(world, region);
  const patients = await withSession(region.databaseUrl, async (session) => {
    const { rows } = await session.query<{ id: string; held: boolean; changes: number }>(
      `SELECT * FROM (
         SELECT id, id::text = ANY($1) AS held, row_number() OVER (PARTITION BY id::text = ANY($1) ORDER BY id) AS nth,
                (SELECT count(*)::int FROM journal WHERE patient_id = patients.id) AS changes
         FROM patients) numbered
       WHERE nth <= $2`,
      [lanes, SAMPLE],
    );
    return rows;
  });
  const told = await Promise.all(patients.map((patient) => patientTold(region, patient)));
  return told.flat();
}

async function patientTold(
  { node, doctor: { token } }: Region,
  { id, held, changes }: { id: string; held: boolean; changes: number },
): Promise<string[]> {
  const patient = await call(node.url, `GET /patients/${id}`, { token });
  const history = await call(node.url, `GET /patients/${id}/history?limit=1&total=true`, { token });
  const told = { state: patient.headers.get('x-sync-state'), 'entries of its history': history.body.total };
  const counted = { state: held ? 'quarantined' : 'synced', 'entries of its history': changes };
  return compare(`Of patient ${id} the region`, told, counted);
}
