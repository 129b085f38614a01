import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

const TABLES = `
  SELECT c.oid::regclass::text AS name,
         (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
          WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'migrations'
  ORDER BY 1`;

/**
 * Loads every row and every sequence of one database into another, migrated and empty, as a dump that is restored:
 * no trigger fires, and nothing of the cluster comes along.
 */
export async function loadDatabase(fromUrl: string, toUrl: string): Promise<void> {
  const [from, to] = [
    new pg.Client({ connectionString: fromUrl }),
    new pg.Client({ connectionString: toUrl }),
  ];
  await Promise.all([from.connect(), to.connect()]);
  await to.query('SET session_replication_role = replica');
  const { rows: tables } = await from.query<{ name: string; columns: string }>(TABLES);
  for (const { name, columns } of tables) {
    await to.query(`DELETE FROM ${name}`);
    await pipeline(
      from.query(copyTo(`COPY ${name} (${columns}) TO STDOUT (FORMAT binary)`)),
      to.query(copyFrom(`COPY ${name} (${columns}) FROM STDIN (FORMAT binary)`)),
    );
  }
  const { rows: sequences } = await from.query<{ name: string; last: string | null }>(
    `SELECT quote_ident(sequencename) AS name, last_value AS last FROM pg_sequences WHERE schemaname = 'public'`,
  );
  for (const { name, last } of sequences)
    if (last !== null) await to.query('SELECT setval($1, $2)', [name, last]);
  await Promise.all([from.end(), to.end()]);
}
