import type { ClientBase } from 'pg';
import { ENTRY_COLUMN_NAMES } from '../journal/entry-columns.js';
import type { ReplicatedTable } from '../journal/replicated-tables.js';
import { codeOf, failureKind } from './failure.js';
import { mergeSet } from './merge-set.js';
import { LANE_HELD, type Refusal, SCHEMA_AHEAD } from './refusal.js';
import { writePositions } from './write-positions.js';

/** The entries of one transaction: applied together, or held together. */
export interface ChangeSet {
  readonly key: string;
  readonly positions: readonly number[];
  readonly lanes: readonly string[];
  /** Something in it is of a version or of a kind that the receiver does not know yet. */
  readonly ahead: boolean;
}

/** What holds a lane back: a refused change, or only one that waits for an upgrade. */
export type Holder = 'refused' | 'held';

export interface LaneOutcome {
  readonly applied: number;
  /** Entries that went to quarantine because they failed, and because they wait behind one that did. */
  readonly refused: number;
  readonly waiting: number;
  /** Entries that wait, by themselves or behind another, until the receiver is upgraded. */
  readonly held: number;
  /** Conflicts that were opened, and wait for a person. */
  readonly opened: number;
}

/** What holds back any lane of a set; a refused change before all. */
export function holderOf(
  { lanes }: Pick<ChangeSet, 'lanes'>,
  held: ReadonlyMap<string, Holder>,
): Holder | undefined {
  const holders = lanes.flatMap((lane) => held.get(lane) ?? []);
  return holders.includes('refused') ? 'refused' : holders[0];
}

function shareLane(one: ChangeSet, other: ChangeSet): boolean {
  return one.lanes.some((lane) => other.lanes.includes(lane));
}

/** A part of a change set that goes on in the next chunk would have to be held: it must be held whole. */
export class OpenSetHeldError extends Error {
  constructor(
    readonly key: string,
    readonly refusal: Refusal,
  ) {
    super(`The change set ${key} goes on in the next chunk and cannot be held in part`);
    this.name = 'OpenSetHeldError';
  }
}

/** What is known of change sets (`incarnation.changeSet`) before a chunk is tried. */
export interface KnownSets {
  /** Held without being tried again. */
  readonly refused: Map<string, Refusal>;
  /** Began before the chunk, or go on behind it. */
  readonly open: ReadonlySet<string>;
}

/** The lanes of one chunk: applies, merges, holds and parks its change sets, from `incoming_entries`. */
export class Lanes {
  private applied = 0;
  private refusedEntries = 0;
  private waitingEntries = 0;
  private heldEntries = 0;
  private opened = 0;
  private readonly mergedLanes = new Set<string>();

  constructor(
    private readonly client: ClientBase,
    private readonly tables: ReadonlyMap<string, ReplicatedTable>,
    private readonly held: Map<string, Holder>,
    private readonly known: KnownSets,
    /** Of entries that were made without knowing of another node's change of the same record. */
    private readonly concurrent: ReadonlySet<number>,
  ) {}

  get outcome(): LaneOutcome {
    const { applied, refusedEntries: refused, waitingEntries: waiting, heldEntries: held, opened } = this;
    return { applied, refused, waiting, held, opened };
  }

  /** Applies what may be applied, in order: at once what stands alone, one by one what has to be merged. */
  async apply(sets: readonly ChangeSet[]): Promise<void> {
    let alone: ChangeSet[] = [];
    for (const set of sets) {
      if (!this.hasToBeMerged(set)) {
        alone.push(set);
        continue;
      }
      await this.applyAlone(alone);
      alone = [];
      await this.applyMerged(set);
    }
    await this.applyAlone(alone);
  }

  /** A merge appends to central's journal, so what the same region did next to those records is concurrent too. */
  private hasToBeMerged({ positions, lanes }: ChangeSet): boolean {
    return (
      positions.some((position) => this.concurrent.has(position)) ||
      lanes.some((lane) => this.mergedLanes.has(lane))
    );
  }

  private async applyMerged(set: ChangeSet): Promise<void> {
    if (this.hasToBeHeld(set)) return this.park(set);
    const { positions, lanes } = set;
    const failure = await this.attempt(() => mergeSet(this.client, this.tables, positions));
    if (failure) return this.refuse(set, failure);
    for (const lane of lanes) this.mergedLanes.add(lane);
    this.applied += positions.length;
  }

  /**
   * What has to be held is held in its order: first is decided what stands before it in its lanes, which would otherwise
   * be held behind it.
   */
  private async applyAlone(sets: readonly ChangeSet[]): Promise<void> {
    let ready: ChangeSet[] = [];
    for (const set of sets) {
      if (!this.hasToBeHeld(set)) {
        ready.push(set);
        continue;
      }
      if (ready.some((earlier) => shareLane(earlier, set))) {
        await this.decide(ready);
        ready = [];
      }
      await this.park(set);
    }
    await this.decide(ready);
  }

  /** On a refusal, one half after the other. */
  private async decide(ready: readonly ChangeSet[]): Promise<void> {
    if (ready.length === 0) return;
    const positions = ready.flatMap((set) => set.positions);
    const failure = await this.attempt(async () => {
      await writePositions(this.client, this.tables, positions);
      return 0;
    });
    if (!failure) {
      this.applied += positions.length;
    } else if (ready.length === 1) {
      await this.refuse(ready[0]!, failure);
    } else {
      const middle = Math.ceil(ready.length / 2);
      await this.applyAlone(ready.slice(0, middle));
      await this.applyAlone(ready.slice(middle));
    }
  }

  private hasToBeHeld(set: ChangeSet): boolean {
    return this.refusalOf(set) !== undefined || set.ahead || holderOf(set, this.held) !== undefined;
  }

  /** A lane that was the reason may be free again: then the set is judged anew, from its beginning. */
  private refusalOf({ key }: ChangeSet): Refusal | undefined {
    const refusal = this.known.refused.get(key);
    if (!refusal?.lanes || refusal.lanes.some((lane) => this.held.has(lane))) return refusal;
    this.known.refused.delete(key);
    return undefined;
  }

  /** Holds a set of a lane that is held already, or of which it is known that it cannot be applied. */
  private async park(set: ChangeSet): Promise<void> {
    const refusal = this.refusalOf(set);
    const holder = holderOf(set, this.held);
    if (refusal?.lanes) await this.wait(set, 'refused');
    else if (refusal) await this.refuse(set, refusal);
    else if (holder) await this.wait(set, holder);
    else await this.refuse(set, SCHEMA_AHEAD);
  }

  private async attempt(write: () => Promise<number>): Promise<Refusal | undefined> {
    await this.client.query('SAVEPOINT attempt');
    let opened: number;
    try {
      opened = await write();
    } catch (error) {
      if (failureKind(error) === 'transient') throw error;
      await this.client.query('ROLLBACK TO SAVEPOINT attempt');
      return { code: codeOf(error), message: (error as Error).message };
    }
    await this.client.query('RELEASE SAVEPOINT attempt');
    this.opened += opened;
    return undefined;
  }

  private async refuse(set: ChangeSet, refusal: Refusal): Promise<void> {
    this.expectWhole(set, refusal);
    const holder = refusal.code === SCHEMA_AHEAD.code ? 'held' : 'refused';
    await this.hold(set, holder, refusal);
    for (const lane of set.lanes) if (this.held.get(lane) !== 'refused') this.held.set(lane, holder);
    if (holder === 'held') this.heldEntries += set.positions.length;
    else this.refusedEntries += set.positions.length;
  }

  private async wait(set: ChangeSet, holder: Holder): Promise<void> {
    const lanes = set.lanes.filter((lane) => this.held.has(lane));
    this.expectWhole(set, holder === 'held' ? SCHEMA_AHEAD : { ...LANE_HELD, lanes });
    await this.hold(set, holder === 'held' ? 'held' : 'waiting');
    for (const lane of set.lanes) this.held.set(lane, holder);
    if (holder === 'held') this.heldEntries += set.positions.length;
    else this.waitingEntries += set.positions.length;
  }

  private expectWhole({ key }: ChangeSet, refusal: Refusal): void {
    const { open, refused } = this.known;
    if (open.has(key) && !refused.has(key)) throw new OpenSetHeldError(key, refusal);
  }

  private async hold(
    set: ChangeSet,
    state: 'refused' | 'waiting' | 'held',
    refusal?: Refusal,
  ): Promise<void> {
    const columns = `origin, ${ENTRY_COLUMN_NAMES.join(', ')}`;
    await this.client.query({
      name: 'hold-positions',
      text: `INSERT INTO quarantine (state, lane, code, message, attempts, last_attempt_at, ${columns})
       SELECT $2, coalesce(patient_id, entity_id), $3, $4, ($2 = 'refused')::int,
              CASE WHEN $2 = 'refused' THEN clock_timestamp() END, ${columns}
       FROM incoming_entries WHERE position = ANY($1) ORDER BY position`,
      values: [set.positions, state, refusal?.code ?? null, refusal?.message ?? null],
    });
  }
}
