import type { ClientBase } from 'pg';

/** Clocks that differ by less than this count as equal: the way between the databases takes time too. Seconds. */
const TOLERANCE_S = 2;

/**
 * Tells central how far the clock of this region's database is off its own. Of two concurrent contact data the later
 * one wins: by one clock, as far as that can be known. In whole seconds.
 */
export async function noteClockOffset(home: ClientBase, central: ClientBase, region: string): Promise<void> {
  const asked = performance.now();
  const here = await clock(home);
  const there = await clock(central);
  const between = (performance.now() - asked) / 1000 / 2;
  const offset = Math.round(there - here - between);
  await central.query(
    `UPDATE region_nodes SET clock_offset = make_interval(secs => $2)
     WHERE region = $1 AND clock_offset <> make_interval(secs => $2)`,
    [region, Math.abs(offset) <= TOLERANCE_S ? 0 : offset],
  );
}

/** Seconds since 1970. */
async function clock(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ seconds: number }>(
    'SELECT extract(epoch FROM clock_timestamp())::float8 AS seconds',
  );
  return rows[0]!.seconds;
}
