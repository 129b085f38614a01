import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';
import { ChunkCorruptError } from '../apply/apply-chunk.js';

interface Question {
  /** Of the prepared statement. */
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
  /** The position of central's journal behind which the answer is. */
  readonly after: number;
}

interface ToldRow {
  readonly row: string;
  readonly digest: string;
}

/**
 * Asks central, and takes an answer only as central has given it: every row comes as JSON with a digest of it.
 * @throws {ChunkCorruptError} when a row was damaged on its way
 */
export async function readIntact<T extends object>(
  client: ClientBase,
  { name, text, values, after }: Question,
): Promise<T[]> {
  const { rows } = await client.query<ToldRow>({
    ...(name !== undefined && { name }),
    text: `SELECT row, encode(sha256(convert_to(row, 'UTF8')), 'hex') AS digest
           FROM (SELECT to_json(found)::text AS row FROM (${text}) found) told`,
    values: [...values],
  });
  return rows.map(({ row, digest }) => {
    if (createHash('sha256').update(row).digest('hex') !== digest)
      throw new ChunkCorruptError({ origin: 'central', after, through: after });
    return JSON.parse(row) as T;
  });
}
