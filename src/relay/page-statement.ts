import pg, { type ClientBase } from 'pg';
import { copyOut } from '../databases/copy-out.js';
import type { ReusedBytes } from '../databases/reused-bytes.js';
import type { EntryArrays } from '../journal/chunk.js';
import { ENTRY_COLUMN_NAMES, type EntryColumn, sentForm } from '../journal/entry-columns.js';

/** Gives one row: what there is to say of a page as JSON text, and its entries (`ENTRIES`). */
export interface PageStatement {
  readonly name: string;
  readonly text: string;
  readonly values: readonly (number | string)[];
}

/** SQL: entries, a column each, from rows of a journal in their order. */
export const ENTRIES = ENTRY_COLUMN_NAMES.map(
  (column) => `array_send(array_agg(${sentForm(column)})) AS ${column}`,
).join(', ');

type PageRow<Summary> = readonly [Summary, EntryArrays];

/** Gives the row of a statement. */
export type AskForPage = <Summary>(statement: PageStatement) => Promise<PageRow<Summary>>;

/** As an ordinary query: prepared, and so the cheapest way to a page of a few entries. */
export async function askForPage<Summary>(
  client: ClientBase,
  { name, text, values }: PageStatement,
): Promise<PageRow<Summary>> {
  const result = await client.query<EntryArrays & { summary: string }>({ name, text, values: [...values] });
  const { summary, ...entries } = result.rows[0]!;
  return [JSON.parse(summary) as Summary, entries];
}

/**
 * The same by COPY, the only way by which bytes come as they are: an ordinary answer has them as hexadecimal text. For
 * 1,000 entries that is 3 ms of the database; planning the statement anew costs 1 ms. The entries stay in `memory`.
 */
export async function copyPage<Summary>(
  client: ClientBase,
  { text, values }: PageStatement,
  memory: ReusedBytes,
): Promise<PageRow<Summary>> {
  const statement = text.replaceAll(/\$(\d)/g, (_, nth: string) =>
    pg.escapeLiteral(String(values[Number(nth) - 1])),
  );
  await copyOut(client, `COPY (${statement}) TO STDOUT (FORMAT binary)`, memory);
  const [summary, ...columns] = fieldsOf(memory.bytes);
  const entries = ENTRY_COLUMN_NAMES.map((column, nth): [EntryColumn, Buffer | null] => [
    column,
    columns[nth]!,
  ]);
  return [JSON.parse(summary!.toString()) as Summary, Object.fromEntries(entries) as EntryArrays];
}

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
/** The signature, flags and the length of the header's extension: there is none. */
const HEADER_BYTES = 19;

/** The fields of the first row of a COPY in binary format. */
function fieldsOf(copied: Buffer): (Buffer | null)[] {
  if (!copied.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw new Error('This is not what COPY sends');
  let at = HEADER_BYTES + 2;
  return Array.from({ length: copied.readInt16BE(HEADER_BYTES) }, () => {
    const length = copied.readInt32BE(at);
    const from = (at += 4);
    if (length < 0) return null;
    at += length;
    return copied.subarray(from, at);
  });
}
