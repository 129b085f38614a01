import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { uuidv7 } from 'uuidv7';
import type { Book, Outcome, Write } from '../book.js';
import type { Random } from '../random.js';
import type { Region } from '../world.js';

const HABITS = {
  'edit several': 40,
  'edit slowly': 20,
  'change their mind': 15,
  register: 15,
  remove: 10,
} as const;

type Statement = readonly [sql: string, values: unknown[]];
type Deed = Pick<Write, 'op' | 'sets'> & { readonly statements: readonly Statement[] };

/** Someone with psql, who goes round the application: several records in one transaction, or none after all. */
export class DatabaseUser {
  private session: pg.Client | undefined;

  constructor(
    private readonly book: Book,
    private readonly region: Region,
    private readonly random: Random,
  ) {}

  async doSomething(): Promise<void> {
    const habit = this.random.weighted(HABITS);
    const patients = this.random.some(this.book.patients(this.region.code), this.random.between(2, 4)).sort();
    if (patients.length < 2) return;
    const id = this.book.newId();
    const deed = this.deed(habit, id, patients);
    // Numbered before its commit, it leaves a gap that may be filled or not, while others commit behind it.
    const heldMs = habit === 'edit several' ? 0 : this.random.between(0, 30);
    await this.transact(id, deed, { heldMs, keep: habit !== 'change their mind' });
  }

  async leave(): Promise<void> {
    await this.session?.end();
    this.session = undefined;
  }

  private deed(habit: keyof typeof HABITS, id: string, patients: readonly string[]): Deed {
    if (habit === 'register') return this.registration(id, patients[0]!);
    if (habit === 'remove')
      return {
        op: 'remove',
        sets: {},
        statements: [['DELETE FROM patients WHERE id = $1 RETURNING id', [patients[0]]]],
      };
    const edit = (patient: string): Statement => [
      'UPDATE patients SET notes = $2 WHERE id = $1 RETURNING id',
      [patient, id],
    ];
    return { op: 'update', sets: { notes: id }, statements: patients.map(edit) };
  }

  /** Two new patients, like one who is there. */
  private registration(id: string, model: string): Deed {
    const copy = `INSERT INTO patients SELECT made.* FROM patients p CROSS JOIN LATERAL
                    jsonb_populate_record(p, $2) made WHERE p.id = $1 RETURNING id`;
    const statement = (nth: number): Statement => [
      copy,
      [model, JSON.stringify({ id: uuidv7(), medical_id: `${id}.${nth}`, notes: id, version: 1 })],
    ];
    return { op: 'insert', sets: { notes: id }, statements: [statement(1), statement(2)] };
  }

  private async transact(id: string, deed: Deed, how: { heldMs: number; keep: boolean }): Promise<void> {
    const begun = Date.now();
    const records: string[] = [];
    const outcome = await this.carryOut(deed, how, records);
    if (records.length === 0) return;
    const { region } = this;
    this.book.note({
      id,
      region: region.code,
      through: 'database',
      actor: new URL(region.databaseUrl).username,
      reason: null,
      op: deed.op,
      sets: deed.sets,
      records,
      begun,
      ended: Date.now(),
      outcome,
    });
  }

  private async carryOut(
    { statements }: Deed,
    { heldMs, keep }: { heldMs: number; keep: boolean },
    records: string[],
  ): Promise<Outcome> {
    let committing = false;
    try {
      const session = await this.connected();
      await session.query('BEGIN');
      for (const [sql, values] of statements) {
        const { rows } = await session.query<{ id: string }>(sql, values);
        records.push(...rows.map((row) => row.id));
      }
      if (heldMs > 0) await session.query('SET CONSTRAINTS ALL IMMEDIATE');
      if (heldMs > 0) await pause(heldMs);
      committing = keep;
      await session.query(keep ? 'COMMIT' : 'ROLLBACK');
      return keep ? 'acknowledged' : 'refused';
    } catch (error) {
      await this.leaveBroken();
      return committing && !saysNo(error) ? 'unknown' : 'refused';
    }
  }

  private async connected(): Promise<pg.Client> {
    if (this.session) return this.session;
    const session = new pg.Client({ connectionString: this.region.databaseUrl, query_timeout: 30_000 });
    session.on('error', () => (this.session = undefined));
    await session.connect();
    return (this.session = session);
  }

  /** The server rolls back whatever was open. */
  private async leaveBroken(): Promise<void> {
    const { session } = this;
    this.session = undefined;
    await Promise.race([session?.end(), pause(1_000)]);
  }
}

/** A server that is shut down may have committed before it says so. */
const saysNo = (error: unknown) => error instanceof pg.DatabaseError && !error.code?.startsWith('57');
