import type { Random } from '../faults/random.js';
import type { Attempts } from './attempts.js';
import { decideSomething } from './deciders.js';
import type { Ledger, Seen } from './ledger.js';
import { aPatient, copyTo, transact, type Wish } from './people.js';
import { beginSlowChange, changeByPsql } from './psql.js';
import type { Sabotage } from './sabotage.js';
import type { Values } from './values.js';
import type { ConvergenceNode } from './world.js';

/** Everybody who changes something, anywhere, in any way. What they did and saw is in the ledger. */
export class Crowd {
  /** Changes that somebody has left open. */
  private readonly slow = new Map<ConvergenceNode, readonly Seen[]>();

  constructor(
    private readonly ledger: Ledger,
    private readonly values: Values,
    private readonly random: Random,
    private readonly attempts: Attempts,
    private readonly sabotage: Sabotage,
  ) {}

  async create(region: ConvergenceNode): Promise<void> {
    await this.people(region, [this.creation(region.code)]);
  }

  /** Changes `count` patients in one transaction, and sometimes registers one in it. */
  async edit(node: ConvergenceNode, count: number): Promise<void> {
    const ids = this.random.some(await this.patientsAt(node), count);
    const wishes: Wish[] = ids.map((patientId) => ({ kind: 'edit', patientId, fields: this.values.edit() }));
    if (count > 1 && this.random.chance(0.3)) wishes.push(this.creation(node.code));
    await this.people(node, wishes);
  }

  async remove(node: ConvergenceNode): Promise<void> {
    const ids = await this.patientsAt(node);
    if (ids.length > 0) await this.people(node, [{ kind: 'remove', patientId: this.random.pick(ids) }]);
  }

  /** Gives somebody whose medical id another one has a new one. */
  async correctMedicalId(node: ConvergenceNode, patientId: string): Promise<void> {
    const fields = { medicalId: this.values.unlike('M') };
    await this.people(node, [{ kind: 'edit', patientId, fields }]);
  }

  async copy({ code }: ConvergenceNode, central: ConvergenceNode): Promise<void> {
    const ids = (await this.patientsAt(central)).filter((id) => !this.ledger.hosts.get(id)!.has(code));
    if (ids.length === 0 || this.isHeldUp(central)) return;
    const patientId = this.random.pick(ids);
    await this.attempts.one('copy', async () => {
      const isCopied = await copyTo(code, patientId, central, this.sabotage.addsHostsUnseen);
      if (isCopied) this.ledger.noteCopy(patientId, code);
    });
  }

  async editByPsql(node: ConvergenceNode): Promise<void> {
    const ids = await this.patientsAt(node);
    if (ids.length === 0 || this.isHeldUp(node)) return;
    const patientId = this.random.pick(ids);
    const set = `notes = '${this.values.unlike('psql')}'`;
    await this.attempts.alone(node.psql, () =>
      this.attempts.one('psql', async () => {
        this.ledger.note(node.code, await changeByPsql(node.psql, patientId, set));
      }),
    );
  }

  async decide(node: ConvergenceNode): Promise<void> {
    if (this.isHeldUp(node)) return;
    const random = this.random.fork(`decision ${String(this.random.next())}`);
    const newId = this.values.unlike('M');
    await this.attempts.one('decide', async () => {
      this.ledger.note(node.code, await decideSomething(node, this.ledger.patients, random, newId));
    });
  }

  async beginSlow(node: ConvergenceNode): Promise<void> {
    // At central, the first change of a patient stops every relay: nobody leaves such a one open.
    const ids = (await this.patientsAt(node)).filter((id) => this.ledger.hosts.get(id)!.size > 1);
    if (ids.length === 0 || this.slow.has(node)) return;
    const patientId = this.random.pick(ids);
    const set = `birth_place = '${this.values.unlike('slow')}'`;
    await this.attempts.alone(node.slow, () =>
      this.attempts.one('slow', async () => {
        this.slow.set(node, await beginSlowChange(node.slow, patientId, set));
      }),
    );
  }

  async endSlow(node: ConvergenceNode): Promise<void> {
    const seen = this.slow.get(node);
    if (!seen) return;
    await this.attempts.alone(node.slow, async () => {
      this.slow.delete(node);
      const isKept = this.random.chance(0.7);
      await node.slow.query(isKept ? 'COMMIT' : 'ROLLBACK');
      if (isKept) this.ledger.note(node.code, seen);
    });
  }

  private creation(region: string): Wish {
    return { kind: 'create', patient: aPatient(this.values.patient(), region, this.newId()) };
  }

  private async people(node: ConvergenceNode, wishes: readonly Wish[]): Promise<void> {
    if (wishes.length === 0 || this.isHeldUp(node)) return;
    await this.attempts.one('people', async () => {
      this.ledger.note(node.code, await transact(node, wishes));
    });
  }

  /** Patients of this run that a node has now, in the order in which they were registered. */
  private async patientsAt({ look }: ConvergenceNode): Promise<string[]> {
    const { rows } = await look.query<{ id: string }>('SELECT id FROM patients WHERE id = ANY($1)', [
      this.ledger.patients,
    ]);
    const there = new Set(rows.map(({ id }) => id));
    return this.ledger.patients.filter((id) => there.has(id));
  }

  /** Whoever opens a lane at central waits for long: not behind what this run leaves open itself. */
  private isHeldUp(node: ConvergenceNode): boolean {
    return node.code === 'central' && this.slow.has(node);
  }

  private newId(): string {
    const digits = (count: number) =>
      Array.from({ length: count }, () => this.random.between(0, 15).toString(16)).join('');
    return `${digits(8)}-${digits(4)}-7${digits(3)}-8${digits(3)}-${digits(12)}`;
  }
}
