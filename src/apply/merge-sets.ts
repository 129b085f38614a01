import type { ClientBase } from 'pg';
import { incomingEntries, type IncomingEntry, lockRecords } from './incoming-entry.js';
import { conflictsOf, planEntry, type Situation } from './plan-entry.js';
import { type Dispute, recordConflicts } from './record-conflict.js';
import { situationsOf } from './situation.js';
import { knownTables } from './write-entries.js';
import { type PlannedEntry, writeMerged } from './write-merged.js';
import type { FailureCode } from '../observability/failures/failure-codes.js';
import type { ReceivingTable } from './receiving-tables.js';

/** The record to change is not there, and never was: its parent may not have arrived. */
export class MissingRecordError extends Error {
  /** Permanent, as SQL's own finding of the same: see `failure.ts`. */
  readonly code = 'ML003' satisfies FailureCode;

  constructor(entity: string) {
    super(`A row of ${entity} to change is not there`);
    this.name = 'MissingRecordError';
  }
}

/**
 * Applies entries of `incoming_entries` as {@link planEntry} decides: for change sets in which someone changed what
 * another node had changed meanwhile. In the transaction that is open on `client`, which holds the locks of
 * `lockShared`. Gives how many conflicts it has opened that wait for a person.
 */
export async function mergeSets(
  client: ClientBase,
  tables: ReadonlyMap<string, ReceivingTable>,
  positions: readonly number[],
): Promise<number> {
  const entries = await incomingEntries(client, positions);
  const touched = knownTables(tables, [...new Set(entries.map(({ entity }) => entity))]);
  const ids = entries.map(({ entityId }) => entityId);
  await client.query(lockRecords(touched, ids));
  let opened = 0;
  for (const wave of wavesOf(entries)) {
    const planned = await mergeWave(client, touched, wave);
    const disputes = planned.flatMap(disputesOf);
    await recordConflicts(client, tables, disputes);
    opened += disputes.filter(({ draft }) => draft.outcome === null).length;
    opened += planned.filter(({ plan }) => plan.kind === 'update' && plan.reopened).length;
  }
  return opened;
}

/**
 * Entries of different lanes are merged side by side, those of one lane one after the other: each has to be planned by
 * what those before it have come to. One by one, with a question for each thing that has to be known and a statement for
 * each that is to be written, an entry cost central 6 ms of its processor; so it costs 0.3, with 150 in a chunk.
 */
function wavesOf(entries: readonly IncomingEntry[]): IncomingEntry[][] {
  const waves: IncomingEntry[][] = [];
  const nextOf = new Map<string, number>();
  for (const entry of entries) {
    // A record keeps its order even if something were to move it to another patient.
    const ordered = [entry.patientId ?? entry.entityId, entry.entityId];
    const wave = Math.max(...ordered.map((id) => nextOf.get(id) ?? 0));
    for (const id of ordered) nextOf.set(id, wave + 1);
    (waves[wave] ??= []).push(entry);
  }
  return waves;
}

const disputesOf = ({ entry: record, plan }: PlannedEntry): Dispute[] =>
  conflictsOf(plan).map((draft) => ({ record, draft }));

async function mergeWave(
  client: ClientBase,
  touched: readonly ReceivingTable[],
  wave: readonly IncomingEntry[],
): Promise<PlannedEntry[]> {
  const situations = await situationsOf(client, touched, wave);
  const planned = wave.map((entry, nth) => plannedEntry(touched, entry, situations[nth]!));
  await writeMerged(client, touched, planned);
  return planned;
}

function plannedEntry(
  tables: readonly ReceivingTable[],
  entry: IncomingEntry,
  situation: Situation,
): PlannedEntry {
  const table = tables.find(({ name }) => name === entry.entity)!;
  const plan = planEntry(table.rules, entry, situation);
  if (plan.kind === 'missing') throw new MissingRecordError(table.name);
  return { entry, table, plan };
}
