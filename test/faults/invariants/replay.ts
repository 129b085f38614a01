import type { Values } from '../book.js';
import { type Entry, type Holding, recordOf } from './evidence.js';

/** The rows that a journal tells of, from its first entry on. */
export function replay(journal: readonly Entry[]): Map<string, Values> {
  const rows = new Map<string, Values>();
  for (const entry of journal) {
    const next = after(rows.get(recordOf(entry)), entry);
    if (next) rows.set(recordOf(entry), next);
    else rows.delete(recordOf(entry));
  }
  return rows;
}

/** A row after one entry; `undefined` when it is not there then. */
export function after(row: Values | undefined, { op, after: values }: Entry): Values | undefined {
  if (op === 'remove') return undefined;
  if (op === 'noop') return row;
  if (op === 'insert' || op === 'restore') return values ?? undefined;
  // An update or a verdict of a row that is not there does not make one.
  return row && { ...row, ...values };
}

/** Values of `values` that `row` does not hold, by column. */
export function differing(values: Values, row: Values | undefined): string[] {
  return Object.keys(values).filter((column) => !same(values[column], row?.[column]));
}

/** Whether two JSON values are equal. The members of an object have no order. */
export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one, inOrder) === JSON.stringify(other, inOrder);
}

function inOrder(_key: string, value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Where the tables of a node are not what its journal says. In a region, own edits lie over what comes down until
 * central has judged them, so there it is asked of records alone that nobody else has changed.
 */
export function unexplainedRows({ node, journal, rows }: Holding): string[] {
  const told = replay(journal);
  const foreign = new Set(
    node === 'central' ? [] : journal.filter(({ origin }) => origin !== node).map(recordOf),
  );
  return [...new Set([...told.keys(), ...rows.keys()])].flatMap((record) => {
    const [row, expected] = [rows.get(record), told.get(record)];
    if (foreign.has(record) || same(row, expected)) return [];
    if (!row) return [`${node}: ${record} is gone, but its journal still has it`];
    // A file that came as a copy has its history in the journal; what is there for everyone came without.
    if (!expected) return node === 'central' ? [`${node}: ${record} is there, but not by its journal`] : [];
    return [`${node}: ${record} is not what its journal says: ${differing(expected, row).join(', ')}`];
  });
}
