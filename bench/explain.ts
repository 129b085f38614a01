import pg from 'pg';
import { DataSource } from 'typeorm';
import { connectionOptions } from '../ormconfig/connection-options.js';
import { applyChunk } from '../src/apply/apply-chunk.js';
import { type ReceivingTable, receivingTables } from '../src/apply/receiving-tables.js';
import { replicatedTables } from '../src/journal/replicated-tables.js';
import { Patient } from '../src/patients/patient.entity.js';
import { PatientsRouter } from '../src/patients/patients.router.js';
import { JournalReader } from '../src/relay/journal-reader.js';
import { CENTRAL } from '../src/routing/connection-names.js';
import { RoutingTable } from '../src/routing/routing-table.js';
import { withClient } from './clusters.js';
import { processCpu } from './cpu-time.js';
import { createCentral, dropDatabase, REGION_CODE } from './databases.js';
import { count, printTable, timed } from './report.js';

const CHUNK_SIZES = [250, 500, 1_000, 2_000, 5_000];
/** A plan is printed of this chunk: by then the statement runs as it does for most of a backlog. */
const EXPLAINED_CHUNK = 12;
const ROUTES = new RoutingTable([{ entities: [Patient], router: PatientsRouter }], 'standalone');
const processOf = new WeakMap<pg.Client, number>();

/** Milliseconds, by the clock and of processor time. */
interface Spent {
  readonly clock: number;
  readonly cpu: number;
}

interface Drained {
  readonly entries: number;
  readonly reading: Spent;
  readonly applying: Spent;
}

/** Where a chunk's time goes: one statement after the other, so that they do not wait for each other. */
export async function explainCatchUp(region: string, central: string): Promise<void> {
  const rows: string[][] = [];
  for (const size of CHUNK_SIZES) {
    const { entries, reading, applying } = await onFreshCentral(central, (url) => drain(region, url, size));
    const perThousand = [reading.clock, reading.cpu, applying.clock, applying.cpu].map((ms) =>
      ((ms / entries) * 1_000).toFixed(1),
    );
    rows.push([count(size), ...perThousand, count(entries / ((reading.clock + applying.clock) / 1_000))]);
  }
  console.log('Milliseconds per 1,000 entries');
  printTable(['chunk', 'read', 'read, CPU', 'apply', 'apply, CPU', 'entries/s in turns'], rows);
  await onFreshCentral(central, (url) => drain(region, url, 1_000, EXPLAINED_CHUNK));
}

async function onFreshCentral<T>(server: string, work: (url: string) => Promise<T>): Promise<T> {
  const url = await createCentral(server, 'explained');
  try {
    return await work(url);
  } finally {
    await dropDatabase(url);
  }
}

async function drain(region: string, central: string, size: number, explained?: number): Promise<Drained> {
  const tables = await receivingTablesOf(central);
  return withApplicationClient(region, (source) =>
    withApplicationClient(central, async (target) => {
      await target.query(
        `INSERT INTO replication_cursors (origin, incarnation, seq, applied_at) VALUES ($1, 1, 0, now())`,
        [REGION_CODE],
      );
      const reader = new JournalReader(source, { origin: REGION_CODE, incarnation: 1, seq: 0 });
      let drained: Drained = { entries: 0, reading: { clock: 0, cpu: 0 }, applying: { clock: 0, cpu: 0 } };
      for (let nth = 1; ; nth++) {
        if (nth === explained) await Promise.all([source, target].map(printPlans));
        const { value: chunk, spent: reading } = await measured(source, () => reader.next(size));
        if (typeof chunk === 'string' || (explained && nth > explained)) return drained;
        const { spent: applying } = await measured(target, () => applyChunk(target, tables, chunk));
        drained = {
          entries: drained.entries + chunk.count,
          reading: sum(drained.reading, reading),
          applying: sum(drained.applying, applying),
        };
      }
    }),
  );
}

/** What `work` took, and the processor time of the session that it used. */
async function measured<T>(client: pg.Client, work: () => Promise<T>): Promise<{ value: T; spent: Spent }> {
  const pid = processOf.get(client)!;
  const before = await processCpu(pid);
  const { value, ms } = await timed(work);
  return { value, spent: { clock: ms, cpu: (await processCpu(pid)) - before } };
}

const sum = (a: Spent, b: Spent): Spent => ({ clock: a.clock + b.clock, cpu: a.cpu + b.cpu });

async function printPlans(client: pg.Client): Promise<void> {
  client.on('notice', ({ message }) => console.log(`${message ?? ''}\n`));
  await client.query(`LOAD 'auto_explain'`);
  const settings = {
    min_duration: '0',
    analyze: 'on',
    buffers: 'on',
    level: 'notice',
    parameter_max_length: '0',
  };
  for (const [name, value] of Object.entries(settings)) {
    await client.query(`SET auto_explain.log_${name} = ${value}`);
  }
}

async function receivingTablesOf(url: string): Promise<ReadonlyMap<string, ReceivingTable>> {
  const source = await new DataSource(connectionOptions(CENTRAL, url, ROUTES)).initialize();
  try {
    return await withClient(url, (client) => receivingTables(client, replicatedTables(source)));
  } finally {
    await source.destroy();
  }
}

/** With the settings that the application's own sessions have. */
async function withApplicationClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { options } = connectionOptions(CENTRAL, url, ROUTES).extra as { options: string };
  const client = new pg.Client({ connectionString: url, options });
  await client.connect();
  try {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    processOf.set(client, rows[0]!.pid);
    return await work(client);
  } finally {
    await client.end();
  }
}
