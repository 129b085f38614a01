import type { EntityManager } from 'typeorm';
import { Problem } from '../../http/problem.js';
import type { ChangeContext } from '../../routing/change-context.js';
import type { Conflict } from '../conflict.entity.js';
import { knownFields, REMOVAL } from '../conflict-view.js';
import type { DisputableRecord, DisputableTable } from '../disputable.js';
import type { Decisions } from '../disputed-fields.js';
import { type Choice, choicesOf, unacceptable } from './choices.js';
import { decisionsOf, removingSide, splitGroups, valuesOf } from './decide.js';
import { restoreRecord } from './restore-record.js';
import { givesAnotherValue, isStillShared } from './shared-value.js';

/** A conflict and what it is about, both locked until the transaction ends. */
export interface Dispute {
  readonly conflict: Conflict;
  readonly table: DisputableTable;
  /** `undefined`: it is removed. */
  readonly record: DisputableRecord | undefined;
  /** Whether this database has every record of the country. */
  readonly knowsAll: boolean;
}

type NamedChoices = Readonly<Record<string, unknown>>;

/**
 * Carries out what a person decided, in the transaction of `manager`, and gives what is to be kept of it. The record
 * is written only where a value differs. Throws a {@link Problem}: 400 and 422 as `choicesOf` and the entity do, 409
 * when another record has the value.
 */
export function settle(
  manager: EntityManager,
  dispute: Dispute,
  fields: NamedChoices,
  context: ChangeContext,
): Promise<Decisions> {
  switch (dispute.conflict.kind) {
    case 'fields':
      return settleFields(manager, dispute, fields, context);
    case 'identity':
      return settleIdentity(manager, dispute, fields, context);
    case 'removal':
      return settleRemoval(manager, dispute, fields, context);
  }
}

async function settleFields(
  manager: EntityManager,
  { conflict, table, record }: Dispute,
  fields: NamedChoices,
  context: ChangeContext,
): Promise<Decisions> {
  const known = knownFields(conflict, table);
  const choices = choicesOf(fields, names(known));
  const split = splitGroups(known, choices);
  if (split.length > 0) throw unacceptable(split);
  // Nothing can be written to a record that is gone, but the conflict need not stay open for ever.
  if (!record) return decisionsOf(conflict, known, takingSides(choices), {});
  await write(manager, table, record, valuesOf(conflict, known, choices), context);
  return decisionsOf(conflict, known, choices, record);
}

/** Two records must not go on with one value: the conflict's own gets another, unless that has happened already. */
async function settleIdentity(
  manager: EntityManager,
  { conflict, table, record, knowsAll }: Dispute,
  fields: NamedChoices,
  context: ChangeContext,
): Promise<Decisions> {
  const known = knownFields(conflict, table);
  const choices = choicesOf(fields, names(known));
  if (!record) return decisionsOf(conflict, known, takingSides(choices), {});
  const wanted: Record<string, unknown> = {};
  for (const field of known) {
    const choice = choices.get(field.property)!;
    const shared = await isStillShared(manager, { conflict, table, record, field, knowsAll });
    if (shared && !givesAnotherValue(conflict, field, choice))
      throw unacceptable([stillShared(field.property)]);
    if ('value' in choice) wanted[field.property] = choice.value;
  }
  await write(manager, table, record, wanted, context);
  return decisionsOf(conflict, known, choices, record);
}

async function settleRemoval(
  manager: EntityManager,
  { conflict, table, record }: Dispute,
  fields: NamedChoices,
  context: ChangeContext,
): Promise<Decisions> {
  const choice = choicesOf(fields, [REMOVAL]).get(REMOVAL)!;
  const remover = removingSide(conflict);
  const isRemoved = removes(choice, remover);
  if (isRemoved && record) await manager.remove(table.entity, record);
  if (!isRemoved && !record) await restoreRecord(manager, table, conflict, context);
  if (remover === undefined) return { [REMOVAL]: { value: isRemoved } };
  const keeper = remover === 'regional' ? 'central' : 'regional';
  return { [REMOVAL]: { take: isRemoved ? remover : keeper } };
}

function removes(choice: Choice, remover: 'regional' | 'central' | undefined): boolean {
  if ('value' in choice) {
    if (typeof choice.value === 'boolean') return choice.value;
    throw unacceptable([
      { path: `fields.${REMOVAL}.value`, message: 'must be true to remove, false to keep' },
    ]);
  }
  if (remover !== undefined) return choice.take === remover;
  const message =
    'does not tell which side removed: send {"value": true} to remove, {"value": false} to keep';
  throw unacceptable([{ path: `fields.${REMOVAL}.take`, message }]);
}

async function write(
  manager: EntityManager,
  table: DisputableTable,
  record: DisputableRecord,
  wanted: Readonly<Record<string, unknown>>,
  { actor: updatedBy }: ChangeContext,
): Promise<void> {
  const changes = await accepted(() => table.accept(manager, record, wanted));
  if (Object.keys(changes).length === 0) return;
  Object.assign(record, changes, { version: record.version + 1, updatedAt: new Date(), updatedBy });
  await manager.save(table.entity, record);
}

/** The entity speaks of its fields, the request holds them in `fields`. */
async function accepted<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Problem) || !error.errors) throw error;
    const { type, title, detail, headers, extra } = error;
    const errors = error.errors.map(({ path, message }) => ({ path: `fields.${path}`, message }));
    const slug = type.slice(type.lastIndexOf('/') + 1);
    throw new Problem(error.getStatus(), slug, title, { detail, errors, headers, extra, cause: error });
  }
}

/** Throws a 422 {@link Problem} for a value: there is nothing to give it to. */
function takingSides(choices: ReadonlyMap<string, Choice>): ReadonlyMap<string, Choice> {
  const values = [...choices].filter(([, choice]) => 'value' in choice);
  if (values.length === 0) return choices;
  throw unacceptable(
    values.map(([name]) => ({
      path: `fields.${name}`,
      message: 'takes a side: the record has been removed',
    })),
  );
}

const names = (known: readonly { property: string }[]) => known.map(({ property }) => property);

function stillShared(name: string) {
  const message = 'belongs to two records: give this one another value with {"value": …}';
  return { path: `fields.${name}`, message };
}
