import type { Entry, Evidence } from './evidence.js';
import type { Ledger, Write } from './ledger.js';
import type { Row } from './values.js';

const SILENT = ['updated_at', 'updated_by', 'created_at', 'created_by'];

/** What happened to a patient, for whoever has to understand a failure. */
export function storyOf(
  patientId: string,
  ledger: Ledger,
  { central, regions, quarantine }: Evidence,
): string {
  const lines = (entries: readonly Entry[]) =>
    entries.filter((entry) => entry.patientId === patientId).map(entryLine);
  return [
    `${patientId}, hosted by ${[...ledger.hosts.get(patientId)!].join(', ')}`,
    'what people did:',
    ...ledger.writesOf(patientId).map(writeLine),
    ...[central, ...regions].flatMap(({ code, journal }) => [`journal of ${code}:`, ...lines(journal)]),
    'quarantine:',
    ...quarantine
      .filter((entry) => entry.patientId === patientId)
      .map((entry) => `${entryLine(entry)} ${entry.state}`),
  ].join('\n  ');
}

function writeLine({ node, before, after, transaction }: Write): string {
  return `#${String(transaction)} ${node}: ${shown(before, after)} → ${shown(after, before)}`;
}

function entryLine({ seq, origin, originSeq, op, entity, before, after, knows, actor }: Entry): string {
  const changed =
    entity === 'patients' ? `${shown(before)} → ${shown(after)}` : JSON.stringify(after?.fields ?? after);
  return `${String(seq)} (${origin} ${String(originSeq)}, knows ${String(knows)}) ${op} ${entity} by ${actor}: ${changed}`;
}

/** The columns of a row, without those that are equal in `other`. */
function shown(row: Row | null | undefined, other?: Row): string {
  if (!row) return 'nothing';
  const told = Object.entries(row).filter(
    ([column, value]) =>
      !SILENT.includes(column) && (!other || JSON.stringify(value) !== JSON.stringify(other[column])),
  );
  return told.map(([column, value]) => `${column}=${JSON.stringify(value)}`).join(' ');
}
