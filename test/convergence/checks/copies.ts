import { isDeepStrictEqual } from 'node:util';
import type { Evidence, Holding } from '../evidence.js';
import type { Ledger } from '../ledger.js';
import type { Row } from '../values.js';

type Kind = 'patients' | 'hosts' | 'conflicts';

/** Every copy of a record is equal on every node that holds the patient, and no other node has one. */
export function checkCopies(ledger: Ledger, { central, regions }: Evidence): string[] {
  return [...ledger.hosts].flatMap(([patientId, hosts]) =>
    regions.flatMap((region) => {
      if (!hosts.has(region.code)) return checkAbsent(patientId, region);
      const kinds: Kind[] = ['patients', 'hosts', 'conflicts'];
      return kinds.flatMap((kind) => checkEqual(kind, patientId, central, region));
    }),
  );
}

function checkAbsent(patientId: string, region: Holding): string[] {
  const kinds: Kind[] = ['patients', 'hosts', 'conflicts'];
  return kinds.flatMap((kind) =>
    ofPatient(region[kind], patientId).map(
      () => `${region.code} has ${kind} of ${patientId} without being a host`,
    ),
  );
}

function checkEqual(kind: Kind, patientId: string, central: Holding, region: Holding): string[] {
  const [there, here] = [ofPatient(central[kind], patientId), ofPatient(region[kind], patientId)];
  if (isDeepStrictEqual(there, here)) return [];
  return [`${kind} of ${patientId} differ at ${region.code}: ${difference(there, here)}`];
}

function ofPatient(rows: ReadonlyMap<string, Row>, patientId: string): Row[] {
  return [...rows.values()].filter((row) => (row.patient_id ?? row.id) === patientId);
}

function difference(central: readonly Row[], region: readonly Row[]): string {
  if (central.length !== region.length)
    return `${String(central.length)} rows at central, ${String(region.length)} there`;
  const columns = central.flatMap((row, nth) =>
    Object.keys(row).flatMap((column) => {
      const [one, other] = [row[column], region[nth]![column]];
      return isDeepStrictEqual(one, other)
        ? []
        : `${column} is ${JSON.stringify(one)} at central, ${JSON.stringify(other)} there`;
    }),
  );
  return columns.join('; ');
}
