import {
  changeOf,
  type Entry,
  type Evidence,
  groupBy,
  type Holding,
  ownEntries,
  recordOf,
} from './evidence.js';
import { setOf, tracedWrites } from './evidence.js';
import { after, differing, unexplainedRows } from './replay.js';
import type { Values } from '../book.js';
import { POISON } from '../workload/edits.js';

/** I1: every write answered 2xx is at central, pending, in quarantine or in a conflict; nowhere else. */
export function everyAnsweredWriteIsSomewhere(evidence: Evidence): string[] {
  const { central } = evidence;
  const arrived = new Set(central.journal.map(changeOf));
  const held = new Set(central.held.map(changeOf));
  const placesOf = (entry: Entry) => {
    const isPending = entry.seq > (central.cursors.get(entry.origin) ?? 0);
    return [
      ...(arrived.has(changeOf(entry)) ? ['at central'] : []),
      ...(held.has(changeOf(entry)) ? ['in quarantine'] : []),
      ...(isPending ? ['pending'] : []),
    ];
  };
  return tracedWrites(evidence).flatMap(({ write, entries }) => {
    if (write.outcome !== 'acknowledged') return [];
    const missing =
      entries.length === 0 ? [`${write.id} was answered and left no entry in ${write.region}`] : [];
    const misplaced = entries
      .map((entry) => ({ entry, places: placesOf(entry) }))
      .filter(({ places }) => places.length !== 1)
      .map(({ entry, places }) => `${write.id} (${changeOf(entry)}) is ${places.join(' and ') || 'nowhere'}`);
    return [...missing, ...misplaced];
  });
}

/** I2: every change took effect once. */
export function everyChangeTookEffectOnce(evidence: Evidence): string[] {
  const { central, regions } = evidence;
  const twice = [central, ...regions].flatMap(({ node, journal }) =>
    [...groupBy(journal, changeOf)]
      .filter(([, copies]) => copies.length > 1)
      .map(([change, copies]) => `${node} has ${change} ${copies.length} times`),
  );
  const miscounted = tracedWrites(evidence).flatMap(({ write, entries }) => {
    const expected = write.records.length || 1;
    const fair = write.outcome === 'unknown' ? [0, expected] : [write.outcome === 'refused' ? 0 : expected];
    if (fair.includes(entries.length)) return [];
    return [`${write.id} (${write.outcome}) has ${entries.length} entries instead of ${fair.join(' or ')}`];
  });
  return [...twice, ...miscounted, ...regions.flatMap(versionsOutOfStep)];
}

/** Each change of a record raises its version by one: a change that took effect unseen would leave a step out. */
function versionsOutOfStep(region: Holding): string[] {
  const own = ownEntries(region).filter(({ op, after: values }) => op === 'update' && values?.version);
  return own
    .filter(({ before, after: values }) => Number(values?.version) !== Number(before?.version) + 1)
    .map(
      (entry) =>
        `${changeOf(entry)} took the version from ${String(entry.before?.version)} to ${String(entry.after?.version)}`,
    );
}

/** I3: per record, changes applied in their true order, none skipped. */
export function everyRecordInItsOrder(evidence: Evidence): string[] {
  const { central, regions } = evidence;
  return [
    ...regions.flatMap((region) => [...brokenChains(region), ...misordered(region, central)]),
    ...[central, ...regions].flatMap(unexplainedRows),
    ...answeredOutOfOrder(evidence),
    ...heldOutOfOrder(central),
  ];
}

/** What is held of a lane is held in its order, and nothing behind it has been applied. */
function heldOutOfOrder({ held, journal }: Holding): string[] {
  const lastApplied = new Map<string, number>();
  for (const { origin, originSeq, patientId, entityId } of journal)
    lastApplied.set(`${origin} ${patientId ?? entityId}`, originSeq);
  return [...groupBy(held, ({ origin, lane }) => `${origin} ${lane}`)].flatMap(([lane, entries]) => {
    const order = entries.map(({ originSeq }) => originSeq);
    const inOrder = [...order].sort((one, other) => one - other);
    return [
      ...(order.join() === inOrder.join()
        ? []
        : [`the lane ${lane} is held in the order ${order.join(', ')}`]),
      ...((lastApplied.get(lane) ?? 0) > inOrder[0]!
        ? [`${lastApplied.get(lane)} of ${lane} was applied, and ${inOrder[0]} is held`]
        : []),
    ];
  });
}

/** Each entry of a record that only its region has changed begins where the one before it ended. */
function brokenChains({ node, journal }: Holding): string[] {
  const rows = new Map<string, Values | undefined>();
  const foreign = new Set(journal.filter(({ origin }) => origin !== node).map(recordOf));
  return journal.flatMap((entry) => {
    const row = rows.get(recordOf(entry));
    rows.set(recordOf(entry), after(row, entry));
    if (foreign.has(recordOf(entry))) return [];
    if (entry.op === 'insert') return row ? [`${changeOf(entry)} inserts what is there`] : [];
    const wrong = differing(entry.before ?? {}, row);
    return wrong.length > 0
      ? [`${changeOf(entry)} does not begin where ${node} was: ${wrong.join(', ')}`]
      : [];
  });
}

/** What central has of a record is how the region's journal of it begins, without what is held or on its way. */
function misordered(region: Holding, central: Holding): string[] {
  const held = new Set(central.held.map(changeOf));
  const cursor = central.cursors.get(region.node) ?? 0;
  const there = groupBy(central.journal, recordOf);
  return [...groupBy(ownEntries(region), recordOf)].flatMap(([record, own]) => {
    const due = own.filter((entry) => entry.seq <= cursor && !held.has(changeOf(entry))).map(changeOf);
    const arrived = (there.get(record) ?? []).filter(({ origin }) => origin === region.node).map(changeOf);
    if (due.join() === arrived.join()) return [];
    return [`${record}: central applied [${arrived.join(', ')}] of [${due.join(', ')}]`];
  });
}

/** What was answered before another write of the same record began stands before it. */
function answeredOutOfOrder(evidence: Evidence): string[] {
  const found = tracedWrites(evidence)
    .filter(({ write }) => write.outcome === 'acknowledged')
    .flatMap(({ write, entries }) => entries.map((entry) => ({ write, entry })));
  return [...groupBy(found, ({ entry }) => recordOf(entry)).values()].flatMap((changes) => {
    const ordered = changes.sort((one, other) => one.entry.originSeq - other.entry.originSeq);
    return ordered.flatMap(({ write }, nth) =>
      ordered
        .slice(nth + 1)
        .filter((later) => later.write.ended < write.begun)
        .map((later) => `${later.write.id} was answered before ${write.id} began, and stands behind it`),
    );
  });
}

/** I4: a transaction that changed several records is applied whole on the other side, or not yet. */
export function everyTransactionWhole(evidence: Evidence): string[] {
  const torn = tracedWrites(evidence).flatMap(({ write, entries }) => {
    const sets = new Set(entries.map(setOf));
    if (sets.size > 1) return [`${write.id} is in several change sets: ${[...sets].join(', ')}`];
    const size = entries[0]?.changeSetSize ?? entries.length;
    return size === entries.length ? [] : [`${write.id} has ${entries.length} entries in a set of ${size}`];
  });
  const { central, regions } = evidence;
  return [...torn, ...[central, ...regions].flatMap(tornSets), ...regions.flatMap(tornDeliveries(central))];
}

/** What a region is to have of a transaction, it has whole. */
const tornDeliveries = (central: Holding) => (region: Holding) => {
  const due = central.deliveries.get(region.node) ?? new Set();
  const cursor = region.cursors.get('central') ?? 0;
  const there = new Set(region.journal.map(changeOf));
  const delivered = central.journal.filter(({ seq }) => due.has(seq) && seq <= cursor);
  return delivered
    .filter((entry) => !there.has(changeOf(entry)))
    .map((entry) => `${region.node} has passed over ${changeOf(entry)} of ${setOf(entry)}`);
};

/** Change sets of which a database holds a part. Holds at every instant, not only at the end. */
export function tornSets({ node, journal, held }: Holding): string[] {
  // Of a transaction elsewhere, a region is told what concerns its patients.
  const whole = journal.filter(({ origin }) => node === 'central' || origin === node);
  const applied = groupBy(whole, setOf);
  const waiting = groupBy(held, setOf);
  const partly = ([set, entries]: [string, readonly Omit<Entry, 'seq'>[]]) =>
    entries.length === entries[0]!.changeSetSize
      ? []
      : [`${node} has ${entries.length} of the ${entries[0]!.changeSetSize} entries of ${set}`];
  const both = [...waiting.keys()].filter((set) => applied.has(set));
  return [
    ...[...applied].flatMap(partly),
    ...[...waiting].flatMap(partly),
    ...both.map((set) => `${node} has ${set} both applied and in quarantine`),
  ];
}

/** Nothing is put into quarantine but what central refuses: it would hide whatever went wrong. */
export function everyRefusalHasItsCause({ central: { held } }: Evidence): string[] {
  const sets = groupBy(
    held.filter(({ state }) => state === 'refused'),
    setOf,
  );
  return [...sets]
    .filter(([, entries]) => !entries.some(({ after: values }) => String(values?.notes).startsWith(POISON)))
    .map(
      ([set, [first]]) => `${set} was refused (${first!.code}: ${first!.message}), and central accepts it`,
    );
}
