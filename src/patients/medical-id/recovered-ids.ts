import type { ClientBase } from 'pg';
import { numberOf } from './medical-id.js';
import { BLOCK } from './blocks.js';

const PAGE_ENTRIES = 10_000;

/** The medical ids that entries bring back, a page at a time, in no order. */
export async function* recoveredIds(session: ClientBase): AsyncGenerator<string[]> {
  for (let after = '0'; ;) {
    const { rows } = await session.query<{ position: string; id: string }>(
      `SELECT origin_seq AS position, after ->> 'medical_id' AS id FROM lost_entries
       WHERE entity = 'patients' AND after ? 'medical_id' AND origin_seq > $1
       ORDER BY origin_seq LIMIT ${String(PAGE_ENTRIES)}`,
      [after],
    );
    if (rows.length === 0) return;
    yield rows.map(({ id }) => id);
    after = rows.at(-1)!.position;
  }
}

/** The highest block that a region's recovered ids come from, of those up to `limit`; 0 when there is none. */
export async function highestBlock(session: ClientBase, region: string, limit: number): Promise<number> {
  let highest = 0;
  for await (const ids of recoveredIds(session)) {
    for (const id of ids) {
      const block = Math.floor((numberOf(region, id) ?? 0) / BLOCK);
      if (block > highest && block <= limit) highest = block;
    }
  }
  return highest;
}
