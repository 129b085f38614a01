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
export async function drain(world: World): Promise<Drained> {
  const begun = Date.now();
  const backlogs = await Promise.all(world.regions.map((region) => pendingOf(world, region)));
  const backlog = backlogs.reduce((sum, pending) => sum + pending, 0);
  const timeoutMs = (backlog / THROUGHPUT) * 1.5 * 1000 + PATIENCE_MS;
  const outcomes = await Promise.allSettled(
    world.regions.map((region) =>
      until(async () => (await pendingOf(world, region)) === 0, {
        what: `${region.code} has nothing pending any more`,
        timeoutMs,
      }),
    ),
  );
  const late = outcomes.filter((outcome) => outcome.status === 'rejected');
  return {
    violations: late.map(({ reason }) => (reason as Error).message),
    backlog,
    ms: Date.now() - begun,
  };
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
