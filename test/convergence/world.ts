import pg from 'pg';
import { DataSource } from 'typeorm';
import { connectionOptions } from '../../ormconfig/connection-options.js';
import { type ReceivingTable, receivingTables } from '../../src/apply/receiving-tables.js';
import { Conflict } from '../../src/conflicts/conflict.entity.js';
import { claimNode } from '../../src/databases/claim-node.js';
import { Host } from '../../src/hosts/host.entity.js';
import { CaptureSubscriber } from '../../src/journal/capture.subscriber.js';
import { replicatedTables } from '../../src/journal/replicated-tables.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { PatientsRouter } from '../../src/patients/patients.router.js';
import { Region } from '../../src/regions/region.entity.js';
import { CENTRAL, REGIONALE } from '../../src/routing/connection-names.js';
import { RoutingTable } from '../../src/routing/routing-table.js';
import { cloneDatabase, type TestDatabase } from '../harness/databases.js';
import { aRegion } from './values.js';

export const REGION_CODES = ['DKR', 'KLK', 'THS'] as const;

/** One node's database, as its application, psql and the test itself reach it. */
export interface ConvergenceNode {
  /** A region's code, or `central`. */
  readonly code: string;
  readonly source: DataSource;
  readonly tables: ReadonlyMap<string, ReceivingTable>;
  /** A session that is not the application's. */
  readonly psql: pg.Client;
  /** Another one of the kind, for what stays open. */
  readonly slow: pg.Client;
  /** The test's own. */
  readonly look: pg.Client;
}

export interface ConvergenceWorld {
  readonly central: ConvergenceNode;
  readonly regions: readonly ConvergenceNode[];
  close(): Promise<void>;
}

/** Three regions and central, all empty but for the regions themselves. */
export async function openWorld(): Promise<ConvergenceWorld> {
  const databases = [await cloneDatabase(CENTRAL)];
  while (databases.length <= REGION_CODES.length) databases.push(await cloneDatabase(REGIONALE));
  const [central, ...regions] = await Promise.all(
    ['central', ...REGION_CODES].map((code, nth) => openNode(code, databases[nth]!)),
  );
  await refusePatientsOnDemand(central!.look);
  await central!.source.transaction(async (manager) => {
    for (const code of REGION_CODES) await manager.insert(Region, aRegion(code));
  });
  return {
    central: central!,
    regions,
    async close() {
      for (const node of [central!, ...regions]) await closeNode(node);
      for (const database of databases) await database.drop();
    },
  };
}

async function openNode(code: string, { url }: TestDatabase): Promise<ConvergenceNode> {
  await prepareDatabase(url);
  const features = [{ entities: [Patient], router: PatientsRouter }, { entities: [Host, Conflict, Region] }];
  const options = connectionOptions(
    code === 'central' ? CENTRAL : REGIONALE,
    url,
    new RoutingTable(features, 'standalone'),
  );
  const source = await new DataSource({ ...options, poolSize: 6 }).initialize();
  await claimNode(source, code);
  const known = replicatedTables(source);
  source.subscribers.push(new CaptureSubscriber(known, () => undefined));
  const psql = await connect(url);
  return {
    code,
    source,
    tables: await receivingTables(psql, known),
    psql,
    slow: await connect(url),
    look: await connect(url),
  };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, options: '-c TimeZone=UTC' });
  await client.connect();
  return client;
}

async function closeNode({ source, psql, slow, look }: ConvergenceNode): Promise<void> {
  await Promise.all([psql.end(), slow.end(), look.end(), source.destroy()]);
}

/**
 * Gives a database a clock that can be wrong, for all that asks for `clock_timestamp()` by its bare name; and makes
 * whoever waits for a lock give up soon, since a run takes its steps one after the other.
 */
async function prepareDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const name = `"${new URL(url).pathname.slice(1)}"`;
  for (const statement of [
    'CREATE SCHEMA skewed',
    `CREATE TABLE skewed.clock (shift interval NOT NULL, frozen_at timestamptz)`,
    `INSERT INTO skewed.clock VALUES ('0', NULL)`,
    `CREATE FUNCTION skewed.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
     'SELECT coalesce(frozen_at, pg_catalog.clock_timestamp() + shift) FROM skewed.clock'`,
    `ALTER DATABASE ${name} SET search_path = public, skewed, pg_catalog`,
    `ALTER DATABASE ${name} SET lock_timeout = '250ms'`,
    `ALTER DATABASE ${name} SET deadlock_timeout = '50ms'`,
  ])
    await client.query(statement);
  await client.end();
}

/** What relays bring of a patient in `refused_patients` is refused by central's database. */
async function refusePatientsOnDemand(psql: pg.Client): Promise<void> {
  for (const statement of [
    'CREATE TABLE refused_patients (id uuid PRIMARY KEY)',
    `CREATE FUNCTION refuse_patient() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       IF current_setting('application_name') LIKE 'relay%'
          AND EXISTS (SELECT FROM refused_patients r WHERE r.id = coalesce(NEW.id, OLD.id)) THEN
         RAISE EXCEPTION 'Not this patient';
       END IF;
       RETURN coalesce(NEW, OLD);
     END $$`,
    `CREATE TRIGGER refuse_patient BEFORE INSERT OR UPDATE OR DELETE ON patients
     FOR EACH ROW EXECUTE FUNCTION refuse_patient()`,
  ])
    await psql.query(statement);
}

/** Moves or stops a node's clock. */
export async function setClock(
  { look }: ConvergenceNode,
  { hours, isFrozen }: { readonly hours: number; readonly isFrozen: boolean },
): Promise<void> {
  await look.query(
    `UPDATE skewed.clock SET shift = make_interval(hours => $1),
       frozen_at = CASE WHEN $2 THEN pg_catalog.clock_timestamp() + make_interval(hours => $1) END`,
    [hours, isFrozen],
  );
}
