import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { type Reply, call, newAccount } from '../accounts/api.js';
import { ADMIN, logIn } from '../harness/application.js';
import { CENTRAL, REGIONALE } from '../../src/routing/connection-names.js';
import { cloneDatabase, type TestDatabase } from '../harness/databases.js';
import { NodeInProcess } from '../harness/node-in-process.js';
import type { ServedNode } from '../harness/served-node.js';
import { TcpProxy } from '../harness/tcp-proxy.js';
import { until } from '../harness/until.js';

/** `region` is DKR, `other` THS. */
export type Side = 'region' | 'other' | 'central';
type RegionSide = Exclude<Side, 'central'>;

const CODES: Record<RegionSide, string> = { region: 'DKR', other: 'THS' };

export type Restore = 'loaded anew' | 'files put back';

export interface Backup {
  readonly side: Side;
  readonly name: string;
}

interface RegionNode {
  readonly node: ServedNode;
  readonly wire: TcpProxy;
  readonly doctor: string;
  readonly admin: string;
}

/** One or two regions and central, whose databases can be copied and put back. */
export class Restorable {
  private readonly backups: string[] = [];
  private made = 0;

  private constructor(
    private readonly databases: Readonly<Partial<Record<Side, TestDatabase>>>,
    private readonly regions: ReadonlyMap<RegionSide, RegionNode>,
  ) {}

  static start(...sides: RegionSide[]): Promise<Restorable> {
    return Restorable.startWith((environment) => NodeInProcess.start(environment), ...sides);
  }

  static async startWith(startNode: StartNode, ...sides: RegionSide[]): Promise<Restorable> {
    const databases: Partial<Record<Side, TestDatabase>> = { central: await cloneDatabase(CENTRAL) };
    const regions = new Map<RegionSide, RegionNode>();
    for (const side of ['region', ...sides] as const) {
      databases[side] = await cloneDatabase(REGIONALE);
      regions.set(
        side,
        await startRegion(startNode, CODES[side], databases[side].url, databases.central!.url),
      );
    }
    return new Restorable(databases, regions);
  }

  async remove(): Promise<void> {
    for (const { node, wire } of this.regions.values()) {
      await node.remove();
      await wire.close();
    }
    for (const database of Object.values(this.databases)) await database.drop();
    for (const name of this.backups) await this.administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }

  get wire(): TcpProxy {
    return this.regions.get('region')!.wire;
  }

  get node(): ServedNode {
    return this.regions.get('region')!.node;
  }

  /** A copy of the database as it is now. Whoever uses it is down for as long as that takes. */
  async backUp(side: Side): Promise<Backup> {
    const name = `backup_${randomBytes(5).toString('hex')}`;
    await this.stop(side);
    await this.copy(this.nameOf(side), name);
    this.backups.push(name);
    await this.restart(side);
    return { side, name };
  }

  /**
   * Puts the copy back, and starts the nodes again. A database that was loaded anew is known by that;
   * `files put back`: nothing in it tells.
   */
  async restore({ side, name }: Backup, how: Restore = 'loaded anew'): Promise<void> {
    await this.stop(side);
    await this.administer(`DROP DATABASE ${this.nameOf(side)} WITH (FORCE)`);
    await this.copy(name, this.nameOf(side));
    if (how === 'files put back') await this.query(side, 'UPDATE node SET cluster = NULL');
    await this.restart(side);
  }

  /** The nodes that use the database. */
  async stop(side: Side): Promise<void> {
    for (const node of this.usersOf(side)) await node.stop();
  }

  async restart(side: Side): Promise<void> {
    for (const node of this.usersOf(side)) await node.restart();
  }

  async create(count = 1, fields: object = {}): Promise<{ id: string; medicalId: string }[]> {
    const created: { id: string; medicalId: string }[] = [];
    for (let i = 0; i < count; i++) {
      this.made += 1;
      const body = { ...AWA, givenNames: `Awa ${letters(this.made)}`, ...fields };
      created.push((await this.ask('POST /patients', body, 201)).body);
    }
    return created;
  }

  edit(id: string, fields: object, side: RegionSide = 'region'): Promise<Reply> {
    return this.ask(`PATCH /patients/${id}`, fields, 200, { side });
  }

  delete(id: string): Promise<Reply> {
    return this.ask(`DELETE /patients/${id}`, undefined, 204, { as: 'admin' });
  }

  async status(side: RegionSide = 'region'): Promise<Status> {
    return (await this.ask('GET /sync/status', undefined, 200, { side })).body;
  }

  async alerts(side: RegionSide = 'region'): Promise<{ code: string; subject: string; count: number }[]> {
    return (await this.ask('GET /alerts', undefined, 200, { side, as: 'admin' })).body.items;
  }

  /** Until nothing is on its way any more. */
  async settled(): Promise<void> {
    for (const round of [1, 2])
      for (const side of this.regions.keys())
        await until(() => this.isSettled(side), {
          what: `${CODES[side]} has sent and received everything (${String(round)})`,
          timeoutMs: 15_000,
        });
  }

  private async isSettled(side: RegionSide): Promise<boolean> {
    const { link, uplink } = await this.status(side);
    if (link.state !== 'up' || uplink.pending > 0) throw new Error(JSON.stringify({ link, uplink }));
    const [down] = await this.query<{ incarnation: number; seq: string }>(
      side,
      `SELECT incarnation, seq FROM replication_cursors WHERE origin = 'central'`,
    );
    const [central] = await this.query<{ incarnation: number; last: string }>(
      'central',
      `SELECT incarnation, coalesce((SELECT max(seq) FROM deliveries WHERE region = $1), 0) AS last FROM node`,
      [CODES[side]],
    );
    if (down?.incarnation !== central!.incarnation || Number(down.seq) < Number(central!.last))
      throw new Error(JSON.stringify({ down, central }));
    return true;
  }

  async query<T extends object>(side: Side, sql: string, values: unknown[] = []): Promise<T[]> {
    const client = new pg.Client({ connectionString: this.databases[side]!.url });
    await client.connect();
    try {
      return (await client.query<T>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  async rows(side: Side): Promise<Record<string, unknown>[]> {
    const rows = await this.query<{ row: Record<string, unknown> }>(
      side,
      'SELECT to_jsonb(p) AS row FROM patients p ORDER BY id',
    );
    return rows.map(({ row }) => row);
  }

  get regionUrl(): string {
    return this.databases.region!.url;
  }

  /** Lets the region count its medical ids from the first block that any of its patients has. */
  async restartBlocks(): Promise<{ sequence: number }> {
    const sequence = await this.blocksBegun();
    await this.node.stop();
    await this.query('region', `SELECT setval('medical_id_seq', $1, false)`, [sequence]);
    await this.node.restart();
    return { sequence };
  }

  async blocksBegun(): Promise<number> {
    const [row] = await this.query<{ last_value: string }>('region', 'SELECT last_value FROM medical_id_seq');
    return Number(row!.last_value);
  }

  /** Both sides hold the same patients and the same changes, and nothing was numbered twice. */
  async expectWhole(): Promise<void> {
    expect(await this.rows('region')).toEqual(await this.rows('central'));
    const entries = await this.entries('region');
    expect(await this.entries('central')).toEqual(entries);
    const ids = entries.flatMap(({ op, after }) =>
      op === 'insert' ? (after as { medical_id: string }).medical_id : [],
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(entries.map(({ origin_seq }) => origin_seq)).size).toBe(entries.length);
  }

  /** The region's own entries, as that side has them. */
  entries(side: Side): Promise<Record<string, unknown>[]> {
    return this.query(
      side,
      `SELECT origin_seq, incarnation, change_set, entity_id, op, before, after, at FROM journal
       WHERE origin = 'DKR' ORDER BY origin_seq`,
    );
  }

  private async ask(
    request: string,
    body: unknown,
    expected: number,
    { side = 'region', as = 'doctor' }: { side?: RegionSide; as?: 'doctor' | 'admin' } = {},
  ): Promise<Reply> {
    const { node, [as]: token } = this.regions.get(side)!;
    const reply = await call(node.url, request, { token, body });
    if (reply.status !== expected)
      throw new Error(`${request}: ${String(reply.status)} ${JSON.stringify(reply.body)}`);
    return reply;
  }

  private usersOf(side: Side): ServedNode[] {
    return [...this.regions].flatMap(([region, { node }]) =>
      side === 'central' || side === region ? node : [],
    );
  }

  private nameOf(side: Side): string {
    return new URL(this.databases[side]!.url).pathname.slice(1);
  }

  /** Sessions that were just closed may still be known to the server. */
  private async copy(from: string, to: string): Promise<void> {
    const copied = async () => {
      await this.administer(`CREATE DATABASE ${to} TEMPLATE ${from}`);
      return true;
    };
    await until(copied, { what: `${from} is copied` });
  }

  private async administer(sql: string): Promise<void> {
    const url = new URL(this.databases.central!.url);
    url.pathname = '/postgres';
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }
}

interface Status {
  readonly link: { readonly state: string; readonly lastError: { readonly code: string } | null };
  readonly uplink: { readonly pending: number };
}

type StartNode = (environment: Record<string, string>) => Promise<ServedNode>;

async function startRegion(
  startNode: StartNode,
  code: string,
  homeUrl: string,
  centralUrl: string,
): Promise<RegionNode> {
  const wire = await TcpProxy.before(centralUrl);
  const node = await startNode({
    MEDLINK_REGION: code,
    DATABASE_REGIONALE_URL: homeUrl,
    DATABASE_DEFAULT_URL: wire.url,
  });
  // Accounts are in every backup, so that they outlive each restore.
  const admin = await logIn(node.url, ADMIN);
  const doctor = await newAccount(node.url, admin, { role: 'medecin', region: code });
  return { node, wire, admin, doctor: doctor.token };
}

const AWA = { familyName: 'Ndiaye', birthDate: '1990-02-03', sex: 'female' };

/** Names hold no digits. */
function letters(number: number): string {
  return [...String(number)].map((digit) => 'abcdefghij'.charAt(Number(digit))).join('');
}
