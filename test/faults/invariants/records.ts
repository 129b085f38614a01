import type { Values, Write } from '../book.js';
import { type Entry, type Evidence, type Holding, tracedWrites } from './evidence.js';
import { differing, same } from './replay.js';

/** Two clocks of one machine, read a moment apart. Milliseconds. */
const CLOCK_TOLERANCE_MS = 1_000;

/** I5: every copy of a record is equal on every node that should hold it, and nobody else holds one. */
export function everyCopyEqual({ central, regions }: Evidence): string[] {
  const lanes = new Set(central.held.map(({ lane }) => lane));
  const hosts = hostsOf({ central, regions });
  const copies = [central, ...regions].flatMap(({ rows }) => [...rows]);
  return [...new Map(copies)].flatMap(([record, row]) => {
    const patient = patientOf(record, row);
    if (patient !== null && lanes.has(patient)) return [];
    return regions.flatMap((region) => {
      const isHost = patient === null || hosts.get(patient)?.has(region.node);
      if (isHost) return differingCopy(record, region, central);
      return region.rows.has(record) ? [`${record} is in ${region.node}, which does not host it`] : [];
    });
  });
}

/** Whose file a record belongs to; `null` when it belongs to everyone. */
function patientOf(record: string, row: Values): string | null {
  if (record.startsWith('patients ')) return row.id as string;
  return (row.patient_id as string | undefined) ?? null;
}

/** The regions that have a patient's file: where it was registered, and whoever central names. */
function hostsOf({ central, regions }: Pick<Evidence, 'central' | 'regions'>): Map<string, Set<string>> {
  const hosts = new Map<string, Set<string>>();
  const add = (patient: string, region: string) =>
    hosts.set(patient, (hosts.get(patient) ?? new Set()).add(region));
  for (const { node, journal } of regions)
    for (const { origin, op, entity, entityId } of journal)
      if (origin === node && op === 'insert' && entity === 'patients') add(entityId, node);
  for (const [record, { patient_id: patient, region }] of central.rows)
    if (record.startsWith('hosts ')) add(patient as string, region as string);
  return hosts;
}

function differingCopy(record: string, region: Holding, central: Holding): string[] {
  const [here, there] = [region.rows.get(record), central.rows.get(record)];
  if (same(here, there)) return [];
  if (!here) return [`${record} is at central, and not in ${region.node}`];
  if (!there) return [`${record} is in ${region.node}, and not at central`];
  return [`${record} differs between ${region.node} and central: ${differing(here, there).join(', ')}`];
}

/** I6: every replaced value is in the history with who, when, where, why. */
export function everyChangeToldInFull(evidence: Evidence): string[] {
  return tracedWrites(evidence).flatMap(({ write, entries }) =>
    entries.flatMap((entry) => mistold(write, entry).map((what) => `${write.id}: ${what}`)),
  );
}

function mistold(write: Write, entry: Entry): string[] {
  const wrong = differing(write.sets, entry.after ?? {});
  const at = entry.at.getTime();
  const inTime = at >= write.begun - CLOCK_TOLERANCE_MS && at <= write.ended + CLOCK_TOLERANCE_MS;
  return [
    ...(entry.op === write.op ? [] : [`the history says ${entry.op} instead of ${write.op}`]),
    ...(wrong.length > 0 ? [`the history has other values of ${wrong.join(', ')}`] : []),
    ...(entry.actor === write.actor ? [] : [`the history names ${entry.actor} instead of ${write.actor}`]),
    ...(entry.origin === write.region ? [] : [`the history places it in ${entry.origin}`]),
    ...(entry.reason === write.reason ? [] : [`the history gives the reason ${entry.reason}`]),
    ...(entry.capturedBy === write.through ? [] : [`the history says it came through ${entry.capturedBy}`]),
    // Whoever had no answer cannot say when it happened.
    ...(inTime || write.outcome === 'unknown' ? [] : [`the history dates it ${entry.at.toISOString()}`]),
    ...(entry.op === 'insert' || !!entry.before ? [] : ['the history has lost what was replaced']),
  ];
}

/** I7: what was deleted stays deleted; what was rolled back never appears. */
export function nothingComesBack(evidence: Evidence): string[] {
  const { book, central, regions } = evidence;
  const holdings = [central, ...regions];
  const removed = book.writes.filter(({ op, outcome }) => op === 'remove' && outcome === 'acknowledged');
  const lanes = new Set(central.held.map(({ lane }) => lane));
  const risen = removed.flatMap(({ records }) =>
    holdings.flatMap(({ node, rows }) =>
      records
        .filter((id) => rows.has(`patients ${id}`) && !(node === 'central' && lanes.has(id)))
        .map((id) => `${id} was deleted, and is in ${node}`),
    ),
  );
  const refused = book.writes.filter(({ outcome }) => outcome === 'refused');
  return [...risen, ...holdings.flatMap((holding) => appearances(refused, holding))];
}

/** The values of refused writes that a node has anywhere. All values of a write hold its id. */
function appearances(refused: readonly Write[], { node, journal, rows, held }: Holding): string[] {
  const seen = new Set<string>();
  for (const entry of [...journal, ...held]) {
    if (entry.requestId) seen.add(entry.requestId);
    gatherTexts(entry.after, seen);
  }
  for (const row of rows.values()) gatherTexts(row, seen);
  return refused
    .filter(({ id }) => seen.has(id) || seen.has(`poison ${id}`))
    .map(({ id }) => `${id} was refused or rolled back, and is in ${node}`);
}

function gatherTexts(value: unknown, into: Set<string>): void {
  if (typeof value === 'string') into.add(value);
  else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) gatherTexts(part, into);
}

/** No fault excuses an answer that is neither yes, no, nor "later"; and no write is told to have failed that did not. */
export function everyAnswerWasFair({ book }: Evidence): string[] {
  return [...book.unexpected];
}

/** A window in which nothing succeeded shows nothing. */
export function somethingSucceeded({ book, regions }: Evidence): string[] {
  return regions
    .filter(
      ({ node }) => !book.writes.some((write) => write.region === node && write.outcome === 'acknowledged'),
    )
    .map(({ node }) => `no write of ${node} succeeded`);
}
