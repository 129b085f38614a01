/**
 * The columns of a journal entry that travel, with their types. `origin` is the chunk's, and `seq` is each
 * journal's own.
 */
export const ENTRY_COLUMNS = {
  origin_seq: 'bigint',
  incarnation: 'integer',
  change_set: 'bigint',
  change_set_size: 'integer',
  entity: 'text',
  entity_id: 'uuid',
  patient_id: 'uuid',
  op: 'text',
  before: 'jsonb',
  after: 'jsonb',
  knows: 'bigint',
  actor: 'text',
  actor_name: 'text',
  role: 'text',
  reason: 'text',
  request_id: 'text',
  at: 'timestamptz',
  schema: 'integer',
  captured_by: 'text',
} as const;

export type EntryColumn = keyof typeof ENTRY_COLUMNS;

export const ENTRY_COLUMN_NAMES = Object.keys(ENTRY_COLUMNS) as EntryColumn[];

/** SQL: a column as it travels. JSON goes as text, and is opened only when that is known to be intact. */
export function sentForm(column: EntryColumn): string {
  return ENTRY_COLUMNS[column] === 'jsonb' ? `${column}::text` : column;
}

/** The SQL type of {@link sentForm}. */
export function sentType(column: EntryColumn): string {
  return ENTRY_COLUMNS[column] === 'jsonb' ? 'text' : ENTRY_COLUMNS[column];
}
