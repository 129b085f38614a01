import type { ClientBase } from 'pg';
import { attempt, RELEASE, SAVEPOINT, undoIfRefused } from './attempt.js';
import { AT_POSITIONS, INCOMING_COLUMNS } from './incoming-entries.js';
import { mergeSets } from './merge-sets.js';
import type { ReceivingTable } from './receiving-tables.js';
import { LANE_HELD, type Refusal, SCHEMA_AHEAD } from './refusal.js';
import { sendAll } from './send-all.js';
import { writePositions } from './write-positions.js';

/** The entries of one transaction: applied together, or held together. */
export interface ChangeSet {
  readonly key: string;
  readonly positions: readonly number[];
  readonly lanes: readonly string[];
  /** Ids. */
  readonly records: readonly string[];
  /** Something in it is of a version or of a kind that the receiver does not know yet. */
  readonly ahead: boolean;
  /** Something in it was made without knowing of another node's change of the same record. */
  readonly concurrent: boolean;
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

/** A merge appends to central's journal, so what the same region did next in those lanes and to those records is concurrent too. */
function setsToMerge(sets: readonly ChangeSet[]): Set<ChangeSet> {
  const reached = new Set<string>();
  const merged = sets.filter((set) => {
    const ids = [...set.lanes, ...set.records];
    const isMerged = set.concurrent || ids.some((id) => reached.has(id));
    if (isMerged) for (const id of ids) reached.add(id);
    return isMerged;
  });
  return new Set(merged);
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

/** Writes entries at positions, or gives why none of them can be. */
type Write = (positions: readonly number[]) => Promise<Refusal | undefined>;

/** The lanes of one chunk: applies, merges, holds and parks its change sets, from `incoming_entries`. */
export class Lanes {
  private applied = 0;
  private refusedEntries = 0;
  private waitingEntries = 0;
  private heldEntries = 0;
  private opened = 0;

  constructor(
    private readonly client: ClientBase,
    private readonly tables: ReadonlyMap<string, ReceivingTable>,
    /** Those that the chunk touches. */
    private readonly touched: readonly ReceivingTable[],
    private readonly held: Map<string, Holder>,
    private readonly known: KnownSets,
  ) {}

  get outcome(): LaneOutcome {
    const { applied, refusedEntries: refused, waitingEntries: waiting, heldEntries: held, opened } = this;
    return { applied, refused, waiting, held, opened };
  }

  /**
   * Applies what may be applied: first what stands alone, then what has to be merged. Nothing that stands alone comes
   * behind what is merged in one of its lanes, so that each lane keeps its order.
   */
  async applyAll(sets: readonly ChangeSet[]): Promise<void> {
    const merged = setsToMerge(sets);
    await this.applyBy(
      this.writeAlone,
      sets.filter((set) => !merged.has(set)),
    );
    await this.applyBy(this.merge, [...merged]);
  }

  /**
   * As many at once as were not refused before: half as many behind a refusal, twice as many behind none. Refused changes
   * come in bursts, and each then costs one attempt.
   */
  private async applyBy(write: Write, sets: readonly ChangeSet[]): Promise<void> {
    let size = sets.length;
    for (let coming = sets; coming.length > 0;) {
      const { ready, behind } = await this.parkUntilReady(coming, size);
      const refusal = await this.apply(write, ready);
      if (refusal && ready.length > 1) {
        size = Math.ceil(ready.length / 2);
        coming = [...ready, ...behind];
      } else {
        if (refusal) await this.refuse(ready[0]!, refusal);
        else size *= 2;
        coming = behind;
      }
    }
  }

  /**
   * The next sets that may be applied, at most `size`. What has to be held is held in its order: not before what stands
   * before it in its lanes, which would otherwise be held behind it.
   */
  private async parkUntilReady(
    coming: readonly ChangeSet[],
    size: number,
  ): Promise<{ ready: ChangeSet[]; behind: readonly ChangeSet[] }> {
    const ready: ChangeSet[] = [];
    for (const [nth, set] of coming.entries()) {
      const isHeld = this.hasToBeHeld(set);
      if (isHeld ? ready.some((earlier) => shareLane(earlier, set)) : ready.length === size)
        return { ready, behind: coming.slice(nth) };
      if (isHeld) await this.park(set);
      else ready.push(set);
    }
    return { ready, behind: [] };
  }

  /** Gives why it was refused. */
  private async apply(write: Write, ready: readonly ChangeSet[]): Promise<Refusal | undefined> {
    if (ready.length === 0) return undefined;
    const positions = ready.flatMap((set) => set.positions);
    const refusal = await write(positions);
    if (!refusal) this.applied += positions.length;
    return refusal;
  }

  private readonly writeAlone: Write = (positions) =>
    undoIfRefused(this.client, async () => {
      await sendAll(this.client, [SAVEPOINT, writePositions(this.touched, positions), RELEASE]);
    });

  private readonly merge: Write = async (positions) => {
    let opened = 0;
    const refusal = await attempt(this.client, async () => {
      opened = await mergeSets(this.client, this.tables, positions);
    });
    if (!refusal) this.opened += opened;
    return refusal;
  };

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
    await this.client.query({
      name: 'hold-positions',
      text: `INSERT INTO quarantine (state, lane, code, message, attempts, last_attempt_at, ${INCOMING_COLUMNS})
       SELECT $2, coalesce(patient_id, entity_id), $3, $4, ($2 = 'refused')::int,
              CASE WHEN $2 = 'refused' THEN clock_timestamp() END, ${INCOMING_COLUMNS}
       FROM incoming_entries WHERE ${AT_POSITIONS} ORDER BY position`,
      values: [set.positions, state, refusal?.code ?? null, refusal?.message ?? null],
    });
  }
}
