import type { QueryRunner } from 'typeorm';

/** Who makes a change, and why. Every journal entry of the transaction carries it. */
export interface ChangeContext {
  /** Id of the account, or the name of the program for what no person asked. */
  readonly actor: string;
  /** The actor's name as people read it, kept as it was at the time. */
  readonly actorName?: string;
  readonly role?: string;
  readonly reason?: string;
  readonly requestId?: string;
}

const UNKNOWN: ChangeContext = { actor: 'application' };
const KEY = 'medlink.change';

/** Attaches the context to a transaction, before its first write. */
export function attachChangeContext(queryRunner: QueryRunner, context: ChangeContext): void {
  queryRunner.data[KEY] = context;
}

export function changeContextOf(queryRunner: QueryRunner): ChangeContext {
  return (queryRunner.data[KEY] as ChangeContext | undefined) ?? UNKNOWN;
}
