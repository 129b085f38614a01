import { isDeepStrictEqual } from 'node:util';
import type { Evidence, HeldEntry } from '../evidence.js';
import type { Ledger, Write } from '../ledger.js';
import { meansTheSame, type Row, type Unit, UNITS } from '../values.js';

const ALL_UNITS = Object.keys(UNITS) as Unit[];

/**
 * Every value that anybody gave is in force, or was replaced by somebody who had seen it, or stands in a conflict, or
 * was discarded with a reason.
 */
export function checkValues(ledger: Ledger, evidence: Evidence): string[] {
  return ledger.patients.flatMap((patientId) => {
    const all = ledger.writesOf(patientId);
    const discarded = new Set(all.filter((write) => isDiscarded(write, evidence.quarantine)));
    const writes = all.filter((write) => !discarded.has(write));
    const row = evidence.central.patients.get(patientId);
    const disputes = disputed(evidence, patientId);
    return writes.flatMap((write) =>
      issued(write)
        .filter((unit) => !isAccounted(unit, write, { writes: all, discarded, row, disputes }))
        .map(
          (unit) =>
            `${unit} ${shown(unit, write.after!)} of ${patientId}, given at ${write.node}, has vanished: ` +
            `${row ? shown(unit, row) : 'no record'} is in force`,
        ),
    );
  });
}

interface Known {
  readonly writes: readonly Write[];
  readonly discarded: ReadonlySet<Write>;
  /** As it is in force. */
  readonly row: Row | undefined;
  /** The values of both sides of each conflict. */
  readonly disputes: readonly Row[];
}

function isAccounted(unit: Unit, write: Write, known: Known): boolean {
  const { row, disputes } = known;
  const value = write.after!;
  if (row && meansTheSame(unit, row, value)) return true;
  const isDisputed = disputes.some(
    (side) => UNITS[unit].every((column) => column in side) && meansTheSame(unit, side, value),
  );
  return isDisputed || isReplaced(unit, write, known);
}

/** By somebody who had seen it; or who had seen what was put in its place, though that was discarded. */
function isReplaced(unit: Unit, { after: value, transaction }: Write, known: Known): boolean {
  return known.writes.some((write) => {
    const { before, after } = write;
    if (!before || !meansTheSame(unit, before, value!)) return false;
    if (after && meansTheSame(unit, after, value!)) return false;
    if (known.discarded.has(write))
      return after !== undefined && write.transaction > transaction && isReplaced(unit, write, known);
    // Who removed a record has replaced its values only when it stayed removed.
    return after !== undefined || known.row === undefined;
  });
}

/** The units that a write has given a value. */
function issued({ before, after }: Write): Unit[] {
  if (!after) return [];
  return ALL_UNITS.filter((unit) => !before || !meansTheSame(unit, before, after));
}

function disputed({ central }: Evidence, patientId: string): Row[] {
  const conflicts = [...central.conflicts.values()].filter(({ entity_id: id }) => id === patientId);
  return conflicts.flatMap(({ fields }) => {
    const columns = Object.entries(
      fields as Record<string, Record<'regional' | 'central', { value: unknown }>>,
    );
    return (['regional', 'central'] as const).map((side) =>
      Object.fromEntries(columns.map(([column, sides]) => [column, sides[side].value])),
    );
  });
}

/** Whether somebody has dropped it, with a reason. */
export function isDiscarded(
  { node, patientId, before, after }: Write,
  quarantine: readonly HeldEntry[],
): boolean {
  return quarantine.some(
    (entry) =>
      entry.state === 'discarded' &&
      entry.reason !== null &&
      entry.origin === node &&
      entry.entityId === patientId &&
      tells(entry.before, before) &&
      tells(entry.after, after),
  );
}

/** Whether one side of an entry says what was there. */
function tells(side: Row | null, row: Row | undefined): boolean {
  if (!side || !row) return !side && !row;
  return Object.entries(side).every(([column, value]) => isDeepStrictEqual(value, row[column]));
}

function shown(unit: Unit, row: Row): string {
  return JSON.stringify(UNITS[unit].map((column) => row[column]));
}
