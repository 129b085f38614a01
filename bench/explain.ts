import type pg from 'pg';
import { DataSource } from 'typeorm';
import { connectionOptions } from '../ormconfig/connection-options.js';
import { applyChunk } from '../src/apply/apply-chunk.js';
import type { Chunk } from '../src/journal/chunk.js';
import { replicatedTables, type ReplicatedTable } from '../src/journal/replicated-tables.js';
import { Patient } from '../src/patients/patient.entity.js';
import { PatientsRouter } from '../src/patients/patients.router.js';
import { JournalReader } from '../src/relay/journal-reader.js';
import { CENTRAL } from '../src/routing/connection-names.js';
import { RoutingTable } from '../src/routing/routing-table.js';
import { withClient } from './clusters.js';
import { createCentral, dropDatabase, REGION_CODE } from './databases.js';
import { printTable } from './report.js';

const CHUNK_SIZES = [250, 500, 1_000, 2_000, 5_000];
/** A plan is printed of this chunk: by then the statement runs as it does for most of a backlog. */
const EXPLAINED_CHUNK = 12;

interface Spent {
  readonly entries: number;
  readonly reading: number;
  readonly applying: number;
}

/** Where a chunk's time goes: one after the other, so that each statement has the machine to itself. */
export async function explainCatchUp(region: string, central: string): Promise<void> {
  const rows: string[][] = [];
  for (const size of CHUNK_SIZES) {
    const { entries, reading, applying } = await onFreshCentral(central, (url) => drain(region, url, size));
    const chunks = entries / size;
    const rate = (ms: number) => Math.round((entries / ms) * 1_000).toLocaleString('en');
    rows.push([
      size.toLocaleString('en'),
      (reading / chunks).toFixed(1),
      (applying / chunks).toFixed(1),
      rate(reading),
      rate(applying),
      rate(reading + applying),
    ]);
  }
  printTable(
    ['chunk', 'read ms', 'apply ms', 'read entries/s', 'apply entries/s', 'one after the other'],
    rows,
  );
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

async function drain(region: string, central: string, size: number, explained?: number): Promise<Spent> {
  const tables = await replicatedTablesOf(central);
  return withApplicationClient(region, (source) =>
    withApplicationClient(central, async (target) => {
      await target.query(`INSERT INTO replication_cursors VALUES ($1, 1, 0, now())`, [REGION_CODE]);
      const reader = new JournalReader(source, { origin: REGION_CODE, incarnation: 1, seq: 0 }, size);
      const spent = { entries: 0, reading: 0, applying: 0 };
      for (let nth = 1; ; nth++) {
        if (nth === explained) await Promise.all([source, target].map(printPlans));
        const began = performance.now();
        const chunk = await reader.next();
        const read = performance.now();
        if (typeof chunk === 'string' || (explained && nth > explained)) return spent;
        await applyChunk(target, tables, chunk);
        add(spent, chunk, read - began, performance.now() - read);
      }
    }),
  );
}

function add(
  spent: { -readonly [K in keyof Spent]: number },
  chunk: Chunk,
  reading: number,
  applying: number,
): void {
  spent.entries += chunk.count;
  spent.reading += reading;
  spent.applying += applying;
}

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

async function replicatedTablesOf(url: string): Promise<ReadonlyMap<string, ReplicatedTable>> {
  const routes = new RoutingTable([{ entities: [Patient], router: PatientsRouter }], 'standalone');
  const source = await new DataSource(connectionOptions(CENTRAL, url, routes)).initialize();
  try {
    return new Map(replicatedTables(source).map((table) => [table.name, table]));
  } finally {
    await source.destroy();
  }
}

/** With the settings that the application's own sessions have. */
function withApplicationClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  return withClient(url, async (client) => {
    await client.query(`SET medlink.capture = 'app'`);
    await client.query(`SET TimeZone = 'UTC'`);
    return work(client);
  });
}
