import { until } from '../../harness/until.js';
import { withSession, type Region, type World } from '../world.js';

/** Changes a second that a catch-up reaches even here, where tests share two cores: see docs/benchmarks.md. */
const THROUGHPUT = 2_000;
const PATIENCE_MS = 60_000;

export interface Drained {
  /** I10: what was still on its way when the time was over. */
  readonly violations: string[];
  readonly backlog: number;
  readonly ms: number;
}

/** Waits for the queues to become empty by themselves, for as long as their length allows. */
export async function drain(world: World, throughput = THROUGHPUT): Promise<Drained> {
  const begun = Date.now();
  const backlog = await onItsWay(world);
  const timeoutMs = (backlog / throughput) * 1.5 * 1000 + PATIENCE_MS;
  const isEmpty = async () => (await onItsWay(world)) === 0;
  const [outcome] = await Promise.allSettled([
    until(isEmpty, { what: 'nothing is on its way in either direction', timeoutMs }),
  ]);
  return {
    violations: outcome.status === 'rejected' ? [(outcome.reason as Error).message] : [],
    backlog,
    ms: Date.now() - begun,
  };
}

/** First up, then down: what goes up makes something come down, and never the other way round. */
async function onItsWay(world: World): Promise<number> {
  let count = 0;
  for (const direction of [pendingOf, waitingFor])
    for (const region of world.regions) count += await direction(world, region);
  return count;
}

/** The region's own entries behind central's cursor, counted in both databases. */
export async function pendingOf(world: World, region: Region): Promise<number> {
  const cursor = await withSession(world.centralUrl, async (session) => {
    const { rows } = await session.query<{ seq: string }>(
      'SELECT seq FROM replication_cursors WHERE origin = $1',
      [region.code],
    );
    return rows[0]?.seq ?? 0;
  });
  return withSession(region.databaseUrl, async (session) => {
    const { rows } = await session.query<{ pending: number }>(
      'SELECT count(*)::int AS pending FROM journal WHERE origin = $1 AND seq > $2',
      [region.code, cursor],
    );
    return rows[0]!.pending;
  });
}

/** Entries of central's journal that the region is to have, and has not applied. */
export async function waitingFor(world: World, region: Region): Promise<number> {
  const cursor = await withSession(region.databaseUrl, async (session) => {
    const { rows } = await session.query<{ seq: string }>(
      `SELECT seq FROM replication_cursors WHERE origin = 'central'`,
    );
    return rows[0]?.seq ?? 0;
  });
  return withSession(world.centralUrl, async (session) => {
    const { rows } = await session.query<{ waiting: number }>(
      'SELECT count(*)::int AS waiting FROM deliveries WHERE region = $1 AND seq > $2',
      [region.code, cursor],
    );
    return rows[0]!.waiting;
  });
}
