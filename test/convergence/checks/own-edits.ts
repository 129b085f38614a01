import { isDeepStrictEqual } from 'node:util';
import type { Evidence, Holding } from '../evidence.js';
import type { Row } from '../values.js';

/**
 * What a region has done, and has not yet been told the outcome of, is what its people see. `refetching`: regions that
 * have fetched whole files anew, which tell the outcome at once.
 */
export function checkOwnEdits(evidence: Evidence, refetching: ReadonlySet<string>): string[] {
  return evidence.regions
    .filter(({ code }) => !refetching.has(code))
    .flatMap((region) => checkRegion(region, evidence));
}

/**
 * Who brings back a record has changed what is not as it was last seen there: the rest of it is no edit, and gives way to
 * what comes down, as it does at central.
 */
function differing(after: Row, lastSeen: Row | undefined): Row {
  return Object.fromEntries(
    Object.entries(after).filter(
      ([column, value]) => !lastSeen || !isDeepStrictEqual(value, lastSeen[column]),
    ),
  );
}

function checkRegion(region: Holding, evidence: Evidence): string[] {
  const { code, patients, journal } = region;
  const isTold = toldOf(region, evidence);
  const rows = new Map<string, Row | null>();
  const lastSeen = new Map<string, Row>();
  for (const { origin, originSeq, entity, entityId, op, before, after } of journal) {
    if (entity !== 'patients') continue;
    const edited = op === 'insert' ? differing(after ?? {}, lastSeen.get(entityId)) : (after ?? {});
    if (op === 'remove') lastSeen.set(entityId, before ?? {});
    else if (lastSeen.has(entityId)) lastSeen.set(entityId, { ...lastSeen.get(entityId), ...after });
    if (origin !== code) continue;
    if (!isTold(originSeq)) rows.set(entityId, op === 'remove' ? null : { ...rows.get(entityId), ...edited });
    else if (op === 'remove') rows.delete(entityId);
    else rows.set(entityId, without(rows.get(entityId), Object.keys(after ?? {})));
  }
  return [...rows].flatMap(([id, edited]) => {
    const row = patients.get(id);
    if (!edited) return row ? [`${code} shows ${id}, which it has removed`] : [];
    if (!row)
      return Object.keys(edited).length > 0 ? [`${code} does not show ${id}, which it has changed`] : [];
    const hidden = Object.keys(edited).filter((column) => !isDeepStrictEqual(edited[column], row[column]));
    return hidden.map(
      (column) => `${code} no longer shows its own ${column} of ${id}, which it was told nothing of yet`,
    );
  });
}

/** Whether the region has been told what became of one of its changes. What waited in quarantine it was told without. */
function toldOf(
  { code, applied }: Holding,
  { central, received, quarantine }: Evidence,
): (originSeq: number) => boolean {
  const ofRegion = <E extends { origin: string }>(entries: readonly E[]) =>
    entries.filter(({ origin }) => origin === code);
  const held = new Set(ofRegion(quarantine).map(({ originSeq }) => originSeq));
  const behind = new Set(
    ofRegion(central.journal).flatMap(({ seq, originSeq }) => (seq > applied ? originSeq : [])),
  );
  return (originSeq) =>
    held.has(originSeq) || (originSeq <= (received.get(code) ?? 0) && !behind.has(originSeq));
}

function without(row: Row | null | undefined, columns: readonly string[]): Row {
  return Object.fromEntries(Object.entries(row ?? {}).filter(([column]) => !columns.includes(column)));
}
