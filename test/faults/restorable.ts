import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { type Reply, call, newAccount } from '../accounts/api.js';
import { ADMIN, logIn } from '../harness/application.js';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';
import { NodeInProcess } from '../harness/node-in-process.js';
import { TcpProxy } from '../harness/tcp-proxy.js';
import { until } from '../harness/until.js';

export type Side = 'region' | 'central';

export type Restore = 'loaded anew' | 'files put back';

export interface Backup {
  readonly side: Side;
  readonly name: string;
}

/** One region and central, whose databases can be copied and put back. */
export class Restorable {
  private readonly backups: string[] = [];
  private made = 0;

  private constructor(
    private readonly databases: TestDatabases,
    readonly wire: TcpProxy,
    readonly node: NodeInProcess,
    private readonly doctor: string,
    private readonly admin: string,
  ) {}

  static async start(): Promise<Restorable> {
    const databases = await cloneDatabases();
    const wire = await TcpProxy.before(databases.centralUrl);
    const node = await NodeInProcess.start({
      DATABASE_REGIONALE_URL: databases.regionaleUrl,
      DATABASE_DEFAULT_URL: wire.url,
    });
    // Accounts are in every backup, so that they outlive each restore.
    const admin = await logIn(node.url, ADMIN);
    const doctor = await newAccount(node.url, admin, { role: 'medecin', region: 'DKR' });
    return new Restorable(databases, wire, node, doctor.token, admin);
  }

  async remove(): Promise<void> {
    await this.node.remove();
    await this.wire.close();
    await this.databases.drop();
    for (const name of this.backups) await this.administer(`DROP DATABASE ${name} WITH (FORCE)`);
  }

  /** A copy of the database as it is now. The node is down for as long as that takes. */
  async backUp(side: Side): Promise<Backup> {
    const name = `backup_${randomBytes(5).toString('hex')}`;
    await this.node.stop();
    await this.copy(this.nameOf(side), name);
    this.backups.push(name);
    await this.node.restart();
    return { side, name };
  }

  /**
   * Puts the copy back; the node is started again at the end. A database that was loaded anew is known by that;
   * `files put back`: nothing in it tells.
   */
  async restore({ side, name }: Backup, how: Restore = 'loaded anew'): Promise<void> {
    await this.node.stop();
    await this.administer(`DROP DATABASE ${this.nameOf(side)} WITH (FORCE)`);
    await this.copy(name, this.nameOf(side));
    if (how === 'files put back') await this.query(side, 'UPDATE node SET cluster = NULL');
    await this.node.restart();
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

  edit(id: string, fields: object): Promise<Reply> {
    return this.ask(`PATCH /patients/${id}`, fields, 200);
  }

  delete(id: string): Promise<Reply> {
    return this.ask(`DELETE /patients/${id}`, undefined, 204, this.admin);
  }

  async status(): Promise<{
    link: { state: string; lastError: { code: string } | null };
    uplink: { pending: number };
  }> {
    return (await this.ask('GET /sync/status', undefined, 200)).body;
  }

  async alerts(): Promise<{ code: string; subject: string; count: number }[]> {
    return (await this.ask('GET /alerts', undefined, 200, this.admin)).body.items;
  }

  /** Until central has everything that the region has. */
  async settled(): Promise<void> {
    const isSettled = async () => {
      const { link, uplink } = await this.status();
      if (link.state !== 'up' || uplink.pending > 0) throw new Error(JSON.stringify({ link, uplink }));
      return true;
    };
    await until(isSettled, { what: 'the queue is empty', timeoutMs: 20_000 });
  }

  async query<T extends object>(side: Side, sql: string, values: unknown[] = []): Promise<T[]> {
    const url = side === 'region' ? this.databases.regionaleUrl : this.databases.centralUrl;
    const client = new pg.Client({ connectionString: url });
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
    return this.databases.regionaleUrl;
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

  private async ask(request: string, body: unknown, expected: number, token = this.doctor): Promise<Reply> {
    const reply = await call(this.node.url, request, { token, body });
    if (reply.status !== expected)
      throw new Error(`${request}: ${String(reply.status)} ${JSON.stringify(reply.body)}`);
    return reply;
  }

  private nameOf(side: Side): string {
    const url = side === 'region' ? this.databases.regionaleUrl : this.databases.centralUrl;
    return new URL(url).pathname.slice(1);
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
    const url = new URL(this.databases.regionaleUrl);
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

const AWA = { familyName: 'Ndiaye', birthDate: '1990-02-03', sex: 'female' };

/** Names hold no digits. */
function letters(number: number): string {
  return [...String(number)].map((digit) => 'abcdefghij'.charAt(Number(digit))).join('');
}
