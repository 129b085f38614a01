import { isDeepStrictEqual } from 'node:util';
import type { Entry, Evidence, HeldEntry, Holding } from '../evidence.js';
import type { Ledger } from '../ledger.js';
import { JUDGE } from '../people.js';
import type { Row } from '../values.js';

const keyOf = ({ origin, originSeq }: Entry) => `${origin} ${String(originSeq)}`;

/** Every journal has everything once, in its true order, and tells how the rows came to be as they are. */
export function checkJournals(ledger: Ledger, evidence: Evidence): string[] {
  const { central, regions, quarantine } = evidence;
  return [
    ...[central, ...regions].flatMap(checkOnce),
    ...[central, ...regions].flatMap(checkOrder),
    ...checkReplay(central),
    ...regions.flatMap((region) => checkHistory(ledger, central, region, quarantine)),
    ...[central, ...regions].flatMap((holding) => checkCapture(ledger, holding)),
  ];
}

function checkOnce({ code, journal }: Holding): string[] {
  const keys = journal.map(keyOf);
  const twice = keys.filter((key, nth) => keys.indexOf(key) !== nth);
  return twice.map((key) => `${code} has the entry ${key} twice`);
}

/** A node's own entries of a record follow each other as they were made. */
function checkOrder({ code, journal }: Holding): string[] {
  const last = new Map<string, number>();
  return journal.flatMap((entry) => {
    const record = `${entry.entityId} by ${entry.origin}`;
    const before = last.get(record) ?? 0;
    last.set(record, entry.originSeq);
    return before < entry.originSeq ? [] : [`${code} has ${keyOf(entry)} behind a later one of ${record}`];
  });
}

/** Central's journal, read from its beginning, gives central's rows; each update tells what it replaced. */
function checkReplay({ journal, patients }: Holding): string[] {
  const rows = new Map<string, Row>();
  const problems: string[] = [];
  for (const { entity, entityId, op, before, after, seq } of journal) {
    if (entity !== 'patients' || op === 'noop') continue;
    const row = rows.get(entityId);
    if (op === 'update' && row && before && Object.keys(before).some((column) => !same(before, row, column)))
      problems.push(
        `central's entry ${String(seq)} says that it replaced something else than what was there`,
      );
    if (op === 'remove') rows.delete(entityId);
    else rows.set(entityId, { ...(row ?? before), ...after });
  }
  for (const id of new Set([...rows.keys(), ...patients.keys()]))
    if (!isDeepStrictEqual(rows.get(id), patients.get(id)))
      problems.push(
        `central's journal and row of ${id} differ: ${JSON.stringify([rows.get(id), patients.get(id)])}`,
      );
  return problems;
}

const same = (one: Row, other: Row, column: string) => isDeepStrictEqual(one[column], other[column]);

/** A host has all of a patient's entries that central has, as central has them, in central's order. */
function checkHistory(
  ledger: Ledger,
  central: Holding,
  region: Holding,
  quarantine: readonly HeldEntry[],
): string[] {
  return ledger.patients
    .filter((patientId) => ledger.hosts.get(patientId)!.has(region.code))
    .flatMap((patientId) => {
      const [there, here] = [central, region].map(({ journal }) =>
        journal.filter((entry) => entry.patientId === patientId),
      );
      const foreign = (entries: readonly Entry[]) => entries.filter(({ origin }) => origin !== region.code);
      const problems = compare(foreign(there!), foreign(here!), `${region.code}'s history of ${patientId}`);
      const discarded = quarantine.filter(({ state }) => state === 'discarded').map(keyOf);
      const own = (entries: readonly Entry[]) =>
        entries.filter(({ origin }) => origin === region.code).map(keyOf);
      const expected = own(here!).filter((key) => !discarded.includes(key));
      if (!isDeepStrictEqual(own(there!).sort(), expected.sort()))
        problems.push(`central and ${region.code} differ in what ${region.code} did to ${patientId}`);
      return problems;
    });
}

function compare(there: readonly Entry[], here: readonly Entry[], what: string): string[] {
  const content = ({ seq: _, ...entry }: Entry) => entry;
  const missing = there.filter((entry) => !here.some((other) => keyOf(other) === keyOf(entry)));
  if (missing.length > 0) return [`${what} lacks ${missing.map(keyOf).join(', ')}`];
  if (isDeepStrictEqual(there.map(content), here.map(content))) return [];
  const isOrder = isDeepStrictEqual(there.map(keyOf).sort(), here.map(keyOf).sort());
  return [`${what} ${isOrder ? 'is in another order, or says otherwise' : 'has more than'} central's`];
}

/** What people did at a node is in its journal, each with what it replaced, and nothing else is. */
function checkCapture(ledger: Ledger, { code, journal }: Holding): string[] {
  return ledger.patients.flatMap((patientId) => {
    const made = ledger
      .writesOf(patientId)
      .filter(({ node, before, after }) => node === code && !isDeepStrictEqual(before, after));
    const kept = journal.filter(
      ({ origin, entity, entityId, op, actor, capturedBy }) =>
        origin === code &&
        entity === 'patients' &&
        entityId === patientId &&
        ['insert', 'update', 'remove'].includes(op) &&
        !(capturedBy === 'application' && [JUDGE, 'medlink'].includes(actor)),
    );
    const told = made.map(({ before, after }) => versions(before, after));
    const found = kept.map((entry) => versions(entry.before ?? undefined, entry.after ?? undefined));
    if (isDeepStrictEqual(told, found)) return [];
    return [`${code}'s journal of ${patientId} tells ${found.join(' ')}; people did ${told.join(' ')}`];
  });
}

const versions = (before?: Row, after?: Row) =>
  `${JSON.stringify(before?.version ?? null)}→${JSON.stringify(after?.version ?? null)}`;
