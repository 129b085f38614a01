import { discardSet } from '../../src/apply/discard-set.js';
import { codeOf } from '../../src/apply/failure.js';
import { retryLanes } from '../../src/apply/retry-lanes.js';
import { openClient } from '../../src/databases/own-client.js';
import type { Patient } from '../../src/patients/patient.entity.js';
import { Random } from '../faults/random.js';
import type { Cut } from './cut.js';
import { decideSomething } from './deciders.js';
import { Ledger } from './ledger.js';
import { DownLink, isWaitedOut, type StepOutcome, UpLink } from './links.js';
import { aPatient, copyTo, JUDGE, type Seen, transact, type Wish } from './people.js';
import { beginSlowChange, changeByPsql } from './psql.js';
import type { Sabotage } from './sabotage.js';
import { Values } from './values.js';
import { type ConvergenceNode, type ConvergenceWorld, setClock } from './world.js';

/** How often each thing happens in a run. */
const WEIGHTS = {
  create: 3,
  edit: 14,
  editSeveral: 4,
  remove: 2,
  copy: 5,
  editAtCentral: 5,
  editByPsql: 4,
  decide: 6,
  beginSlow: 2,
  endSlow: 3,
  refuse: 1,
  accept: 1,
  retry: 2,
  discard: 2,
  clock: 1,
  pause: 1,
  up: 18,
  down: 18,
  rush: 2,
} as const;

type Action = keyof typeof WEIGHTS;

interface Links {
  readonly up: UpLink;
  readonly down: DownLink;
  /** Steps that it lets go by. */
  pausedFor: number;
}

interface SlowChange {
  readonly node: ConvergenceNode;
  readonly seen: readonly Seen[];
}

/** One run: people, links and breakdowns, as a seed decides. The databases may have seen other runs before. */
export class Run {
  readonly ledger = new Ledger();
  readonly counts: Record<string, number> = {};
  private readonly random: Random;
  private readonly values: Values;
  private readonly links: ReadonlyMap<ConvergenceNode, Links>;
  private readonly slow = new Map<ConvergenceNode, SlowChange>();
  private readonly busy = new Set<unknown>();
  private readonly isParallel: boolean;

  constructor(
    private readonly world: ConvergenceWorld,
    seed: number,
    private readonly sabotage: Sabotage = {},
  ) {
    this.random = new Random(seed);
    this.values = new Values(this.random, seed.toString(36));
    this.isParallel = this.random.chance(0.4);
    this.links = new Map(
      world.regions.map((region) => {
        const up = new UpLink(region, world.central);
        return [
          region,
          { up, down: new DownLink(region, world.central, sabotage.alterDelivery), pausedFor: 0 },
        ];
      }),
    );
  }

  /** Regions that have fetched whole files anew. */
  get refetching(): Set<string> {
    return new Set([...this.links].flatMap(([{ code }, { down }]) => (down.hasRefetched ? code : [])));
  }

  /** Lets things happen. `look` is called now and then. */
  async live(look: () => Promise<void>): Promise<void> {
    for (const node of [...this.world.regions, this.world.central]) await this.clock(node);
    for (let nth = 0; nth < 3; nth++) await this.create();
    const ticks = this.random.between(25, 70);
    for (let tick = 0; tick < ticks; tick++) {
      const actions = Array.from({ length: this.isParallel ? this.random.between(1, 4) : 1 }, () =>
        this.random.weighted(WEIGHTS),
      );
      await Promise.all(actions.map((action) => this.perform(action)));
      if (this.random.chance(0.15)) await look();
    }
  }

  /** Nothing is paused or refused any more, and everything moves until nothing does. */
  async settle(): Promise<void> {
    for (const node of this.slow.keys()) await this.endSlow(node);
    await this.world.central.look.query('DELETE FROM refused_patients');
    for (let round = 0; round < 80; round++) {
      if (await this.isSettled()) {
        this.close();
        return;
      }
      await this.moveAll();
      if (round % 3 === 2) await this.receiveAll();
    }
    throw new Error('Something still moves, or waits, after eighty rounds');
  }

  /** Nothing is on its way, in quarantine, or still to be looked over. */
  private async isSettled(): Promise<boolean> {
    const central = await this.world.central.look.query<{ unsettled: number }>(
      `SELECT (SELECT count(*) FROM quarantine WHERE state IN ('refused', 'waiting'))::int
              + (SELECT count(*) FROM identity_watch WHERE seq < (SELECT max(seq) FROM journal))::int AS unsettled`,
    );
    const links = await Promise.all(this.world.regions.map((region) => this.isLevel(region)));
    return central.rows[0]!.unsettled === 0 && links.every((isLevel) => isLevel);
  }

  /** Central has all of a region's own entries, and the region all that central has for it. */
  private async isLevel({ code, look }: ConvergenceNode): Promise<boolean> {
    const here = await look.query<{ last: string; down: string; stale: string }>(
      `SELECT coalesce((SELECT max(seq) FROM journal WHERE origin = $1), 0) AS last,
              coalesce((SELECT seq FROM replication_cursors WHERE origin = 'central'), 0) AS down,
              (SELECT count(*) FROM stale_lanes) AS stale`,
      [code],
    );
    const there = await this.world.central.look.query<{ up: string; down: string }>(
      `SELECT coalesce((SELECT seq FROM replication_cursors WHERE origin = $1), 0) AS up,
              coalesce((SELECT max(seq) FROM deliveries WHERE region = $1), 0) AS down`,
      [code],
    );
    const [{ last, down, stale }, peer] = [here.rows[0]!, there.rows[0]!];
    return Number(peer.up) >= Number(last) && Number(down) >= Number(peer.down) && stale === '0';
  }

  close(): void {
    for (const { up, down } of this.links.values()) {
      up.close();
      down.close();
    }
  }

  private async moveAll(): Promise<void> {
    await this.decideQuarantine('retry');
    const steps = [...this.links.values()].flatMap(({ up, down }) => [
      () => up.step(50),
      () => down.step(50),
    ]);
    if (this.isParallel) await Promise.all(steps.map((step) => step()));
    else for (const step of steps) await step();
  }

  /** As the product itself receives, which also looks for identities that two records share. */
  private async receiveAll(): Promise<void> {
    for (const [region, { down }] of this.links) {
      await down.receive();
      await this.correctSharedIds(region);
    }
  }

  /** What a region cannot take, because one of its own has the medical id, somebody has to correct there. */
  private async correctSharedIds(region: ConvergenceNode): Promise<void> {
    const { rows } = await region.look.query<{ lane: string }>('SELECT lane FROM stale_lanes');
    for (const { lane } of rows) {
      const wanted = await this.world.central.look.query<{ id: string; region: string }>(
        'SELECT medical_id AS id, region FROM patients WHERE id = $1',
        [lane],
      );
      const [{ id, region: home } = { id: '', region: '' }] = wanted.rows;
      const own = await region.look.query<{ id: string }>(
        'SELECT id FROM patients WHERE medical_id = $1 AND region = $2 AND id <> $3',
        [id, home, lane],
      );
      for (const { id: patientId } of own.rows)
        await this.people(region, [
          { kind: 'edit', patientId, fields: { medicalId: this.values.unlike('M') } },
        ]);
    }
  }

  private async perform(action: Action): Promise<void> {
    const region = this.random.pick(this.world.regions);
    switch (action) {
      case 'create':
        return this.create();
      case 'edit':
        return this.edit(region, 1);
      case 'editSeveral':
        return this.edit(region, this.random.between(2, 3), true);
      case 'editAtCentral':
        return this.edit(this.world.central, 1);
      case 'remove':
        return this.remove(this.random.chance(0.8) ? region : this.world.central);
      case 'copy':
        return this.copy(region);
      case 'editByPsql':
        return this.editByPsql(this.random.chance(0.6) ? region : this.world.central);
      case 'decide':
        return this.decide(this.random.chance(0.6) ? region : this.world.central);
      case 'beginSlow':
        return this.beginSlow(this.random.chance(0.5) ? region : this.world.central);
      case 'endSlow':
        return this.endSlow(this.random.chance(0.5) ? region : this.world.central);
      case 'clock':
        return this.clock(region);
      case 'pause':
        this.links.get(region)!.pausedFor = this.random.between(2, 12);
        return;
      case 'up':
      case 'down':
        return this.move(region, action);
      case 'rush':
        await Promise.all(
          this.world.regions.flatMap((each) => [this.move(each, 'up'), this.move(each, 'down')]),
        );
        return;
      case 'refuse':
        return this.refuse();
      case 'accept':
        await this.world.central.look.query('DELETE FROM refused_patients');
        return;
      case 'retry':
      case 'discard':
        await this.decideQuarantine(action);
    }
  }

  private async create(): Promise<void> {
    const region = this.random.pick(this.world.regions);
    await this.people(region, [{ kind: 'create', patient: this.newPatient(region.code) }]);
  }

  private newPatient(region: string): Patient {
    return aPatient(this.values.patient(), region, this.newId());
  }

  private async edit(node: ConvergenceNode, count: number, mayCreate = false): Promise<void> {
    const ids = this.random.some(await this.patientsAt(node), count);
    const wishes: Wish[] = ids.map((patientId) => ({ kind: 'edit', patientId, fields: this.values.edit() }));
    if (this.random.chance(0.04) && wishes[0]?.kind === 'edit')
      Object.assign(wishes[0].fields, { medicalId: this.values.medicalId() });
    if (mayCreate && this.random.chance(0.3))
      wishes.push({ kind: 'create', patient: this.newPatient(node.code) });
    await this.people(node, wishes);
  }

  private async remove(node: ConvergenceNode): Promise<void> {
    const ids = await this.patientsAt(node);
    if (ids.length > 0) await this.people(node, [{ kind: 'remove', patientId: this.random.pick(ids) }]);
  }

  private async people(node: ConvergenceNode, wishes: readonly Wish[]): Promise<void> {
    if (wishes.length === 0 || this.isHeldUp(node)) return;
    await this.tried('people', async () => {
      this.ledger.note(node.code, await transact(node, wishes));
    });
  }

  private async copy({ code }: ConvergenceNode): Promise<void> {
    const { central } = this.world;
    const ids = (await this.patientsAt(central)).filter((id) => !this.ledger.hosts.get(id)!.has(code));
    if (ids.length === 0 || this.isHeldUp(central)) return;
    const patientId = this.random.pick(ids);
    await this.tried('copy', async () => {
      if (await copyTo(code, patientId, central, this.sabotage.addsHostsUnseen))
        this.ledger.noteCopy(patientId, code);
    });
  }

  private async editByPsql(node: ConvergenceNode): Promise<void> {
    const ids = await this.patientsAt(node);
    if (ids.length === 0 || this.isHeldUp(node)) return;
    const patientId = this.random.pick(ids);
    const set = `notes = '${this.values.unlike('psql')}'`;
    await this.alone(node.psql, () =>
      this.tried('psql', async () => {
        this.ledger.note(node.code, await changeByPsql(node.psql, patientId, set));
      }),
    );
  }

  private async decide(node: ConvergenceNode): Promise<void> {
    if (this.isHeldUp(node)) return;
    const random = this.random.fork(`decision ${String(this.random.next())}`);
    const newId = this.values.unlike('M');
    await this.tried('decide', async () => {
      this.ledger.note(node.code, await decideSomething(node, this.ledger.patients, random, newId));
    });
  }

  private async beginSlow(node: ConvergenceNode): Promise<void> {
    // At central, the first change of a patient stops every relay: nobody leaves such a one open.
    const ids = (await this.patientsAt(node)).filter((id) => this.ledger.hosts.get(id)!.size > 1);
    if (ids.length === 0 || this.slow.has(node)) return;
    const patientId = this.random.pick(ids);
    const set = `birth_place = '${this.values.unlike('slow')}'`;
    await this.alone(node.slow, () =>
      this.tried('slow', async () => {
        this.slow.set(node, { node, seen: await beginSlowChange(node.slow, patientId, set) });
      }),
    );
  }

  private async endSlow(node: ConvergenceNode): Promise<void> {
    const change = this.slow.get(node);
    if (!change) return;
    await this.alone(node.slow, async () => {
      this.slow.delete(node);
      const isKept = this.random.chance(0.7);
      await node.slow.query(isKept ? 'COMMIT' : 'ROLLBACK');
      if (isKept) this.ledger.note(node.code, change.seen);
    });
  }

  private async clock(node: ConvergenceNode): Promise<void> {
    const hours = this.random.pick([0, 0, -2, 2, 30]);
    await setClock(node, { hours, isFrozen: this.random.chance(0.2) });
  }

  private async move(region: ConvergenceNode, direction: 'up' | 'down'): Promise<void> {
    const links = this.links.get(region)!;
    if (links.pausedFor-- > 0) return;
    const limit = this.random.pick([1, 2, 3, 5, 8, 500]);
    const cut: Cut | undefined = this.random.chance(0.12)
      ? { nth: this.random.between(1, 14), when: this.random.pick(['before', 'after']) }
      : undefined;
    await this.alone(links[direction], async () => {
      this.count(direction, await links[direction].step(limit, cut));
    });
  }

  private async refuse(): Promise<void> {
    const ids = this.ledger.patients;
    if (ids.length === 0) return;
    await this.world.central.look.query('INSERT INTO refused_patients VALUES ($1) ON CONFLICT DO NOTHING', [
      this.random.pick(ids),
    ]);
  }

  private async decideQuarantine(kind: 'retry' | 'discard'): Promise<void> {
    const { central } = this.world;
    const { rows } = await central.look.query<{ id: string; lane: string }>(
      `SELECT id, lane FROM quarantine WHERE state = 'refused' ORDER BY id`,
    );
    if (rows.length === 0) return;
    const { id, lane } = this.random.pick(rows);
    const decision = { by: JUDGE, byName: JUDGE, reason: 'to see' };
    const { client, close } = await openClient(central.source, 10_000);
    await this.tried(kind, async () => {
      await client.query(`SET application_name = 'relay decision'`);
      await client.query('BEGIN');
      const discarded =
        kind === 'discard' ? await discardSet(client, central.tables, id, decision) : { lanes: [lane] };
      if (typeof discarded !== 'string') await retryLanes(client, central.tables, discarded.lanes, decision);
      await client.query('COMMIT');
    });
    close();
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
    return node === this.world.central && this.slow.has(node);
  }

  /** What one session or link does, it does one after the other; whoever comes meanwhile goes away. */
  private async alone(what: unknown, work: () => Promise<void>): Promise<void> {
    if (this.busy.has(what)) return;
    this.busy.add(what);
    try {
      await work();
    } finally {
      this.busy.delete(what);
    }
  }

  /** Somebody who is refused, or in whose way somebody else is, gives up. */
  private async tried(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.count(what, 'moved');
    } catch (error) {
      if (!isWaitedOut(error) && codeOf(error) !== '23505') throw error;
      this.count(what, 'failed');
    }
  }

  private count(what: string, outcome: StepOutcome): void {
    const key = `${what} ${outcome}`;
    this.counts[key] = (this.counts[key] ?? 0) + 1;
  }

  private newId(): string {
    const hex = Array.from({ length: 32 }, () => this.random.between(0, 15).toString(16)).join('');
    const [a, b, c, d, e] = [
      [0, 8],
      [8, 12],
      [13, 16],
      [17, 20],
      [20, 32],
    ].map(([from, to]) => hex.slice(from, to));
    return `${a!}-${b!}-7${c!}-8${d!}-${e!}`;
  }
}
