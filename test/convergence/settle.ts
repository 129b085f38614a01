import type { Random } from '../faults/random.js';
import type { Attempts } from './attempts.js';
import type { Crowd } from './crowd.js';
import type { Exchange } from './exchange.js';
import { decideQuarantine } from './quarantine.js';
import type { ConvergenceNode, ConvergenceWorld } from './world.js';

const ROUNDS = 80;

interface Unsettled {
  readonly world: ConvergenceWorld;
  readonly exchange: Exchange;
  readonly crowd: Crowd;
  readonly attempts: Attempts;
  readonly random: Random;
  readonly isParallel: boolean;
}

/** Nothing is paused or refused any more, and everything moves until nothing does. */
export async function settle(run: Unsettled): Promise<void> {
  const { world, exchange, crowd, attempts, random, isParallel } = run;
  for (const node of [world.central, ...world.regions]) await crowd.endSlow(node);
  await world.central.look.query('DELETE FROM refused_patients');
  for (let round = 1; round <= ROUNDS; round++) {
    if ((await unsettled(world)).length === 0) return;
    await decideQuarantine('retry', world.central, attempts, random);
    await exchange.moveAll(isParallel);
    if (round % 3 !== 0) continue;
    await exchange.receiveAll();
    for (const region of world.regions) await correctSharedIds(region, world.central, crowd);
  }
  throw new Error(`After ${String(ROUNDS)} rounds: ${(await unsettled(world)).join(', ')}`);
}

/** What is still on its way, in quarantine, or to be looked over. */
async function unsettled({ central, regions }: ConvergenceWorld): Promise<string[]> {
  const { rows } = await central.look.query<{ what: string }>(
    `SELECT state || ' in quarantine (' || string_agg(DISTINCT coalesce(code, ''), ' ') || ')' AS what
     FROM quarantine WHERE state IN ('refused', 'waiting') GROUP BY state
     UNION ALL SELECT 'identities are to be compared' FROM identity_watch
     WHERE seq < (SELECT max(seq) FROM journal)`,
  );
  const ofRegions = await Promise.all(regions.map((region) => notLevel(region, central)));
  return [...rows.map(({ what }) => what), ...ofRegions.flat()];
}

/** What central does not have of a region's own entries, and the region not of what central has for it. */
async function notLevel({ code, look }: ConvergenceNode, central: ConvergenceNode): Promise<string[]> {
  const here = await look.query<{ last: string; down: string; stale: string }>(
    `SELECT coalesce((SELECT max(seq) FROM journal WHERE origin = $1), 0) AS last,
            coalesce((SELECT seq FROM replication_cursors WHERE origin = 'central'), 0) AS down,
            (SELECT count(*) FROM stale_lanes) AS stale`,
    [code],
  );
  const there = await central.look.query<{ up: string; down: string }>(
    `SELECT coalesce((SELECT seq FROM replication_cursors WHERE origin = $1), 0) AS up,
            coalesce((SELECT max(seq) FROM deliveries WHERE region = $1), 0) AS down`,
    [code],
  );
  const [{ last, down, stale }, peer] = [here.rows[0]!, there.rows[0]!];
  const level = {
    [`${code} has more to send`]: Number(peer.up) >= Number(last),
    [`there is more for ${code}`]: Number(down) >= Number(peer.down),
    [`${code} has stale patients`]: stale === '0',
  };
  return Object.entries(level).flatMap(([what, isSo]) => (isSo ? [] : what));
}

/** What a region cannot take, because one of its own has the medical id, somebody has to correct there. */
async function correctSharedIds(
  region: ConvergenceNode,
  central: ConvergenceNode,
  crowd: Crowd,
): Promise<void> {
  const { rows } = await region.look.query<{ lane: string }>('SELECT lane FROM stale_lanes');
  for (const { lane } of rows) {
    const wanted = await central.look.query<{ id: string; home: string }>(
      'SELECT medical_id AS id, region AS home FROM patients WHERE id = $1',
      [lane],
    );
    for (const { id, home } of wanted.rows) {
      const own = await region.look.query<{ id: string }>(
        'SELECT id FROM patients WHERE medical_id = $1 AND region = $2 AND id <> $3',
        [id, home, lane],
      );
      for (const patient of own.rows) await crowd.correctMedicalId(region, patient.id);
    }
  }
}
