import type { DataSource, EntityManager } from 'typeorm';

/**
 * Numbers in a block. The sequence counts blocks, so this is part of what every id ever given means: never change it.
 */
export const BLOCK = 32;
/**
 * No block below the number of these that have passed since 2026 is begun. A database that was restored from a
 * backup cannot know what was given since; unless that was more than 128 ids a second, time has passed over them.
 * There are blocks enough for 136 years.
 */
const TICK_MS = 250;
const FIRST_TICK = Date.UTC(2026, 0);

/** Whoever moves the sequence holds this, so that it never goes back. Any number. */
const SEQUENCE_LOCK = 7_304_003;

/** So many blocks, in their order, that nobody else begins. */
export async function drawBlocks(manager: EntityManager, count: number): Promise<number[]> {
  const blocks = await draw(manager, count);
  if (blocks[0]! >= blocksOfTime()) return blocks;
  await passOver(manager.dataSource, blocksOfTime());
  return draw(manager, count);
}

/** No block up to this one is begun any more. */
export async function passOver(source: DataSource, block: number): Promise<void> {
  await source.transaction(async (manager) => {
    await manager.query('SELECT pg_advisory_xact_lock($1)', [SEQUENCE_LOCK]);
    await manager.query(`SELECT setval('medical_id_seq', $1) FROM medical_id_seq WHERE last_value < $1`, [
      block,
    ]);
  });
}

/** How many blocks time alone has passed over. */
export function blocksOfTime(): number {
  return Math.floor((Date.now() - FIRST_TICK) / TICK_MS);
}

async function draw(manager: EntityManager, count: number): Promise<number[]> {
  const rows = await manager.query<{ block: string }[]>(
    `SELECT nextval('medical_id_seq') AS block FROM generate_series(1, $1)`,
    [count],
  );
  return rows.map(({ block }) => Number(block));
}
