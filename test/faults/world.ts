import pg from 'pg';
import { CENTRAL, REGIONALE } from '../../src/routing/connection-names.js';
import { ADMIN, logIn } from '../harness/application.js';
import { cloneDatabase, type TestDatabase } from '../harness/databases.js';
import { NodeInProcess } from '../harness/node-in-process.js';
import { NodeProcess } from '../harness/node-process.js';
import type { ServedNode } from '../harness/served-node.js';
import { TcpProxy } from '../harness/tcp-proxy.js';
import { call, newAccount } from '../accounts/api.js';

/** One region: its database, its node, and the node's wires to both databases. */
export interface Region<Node extends ServedNode = ServedNode> {
  readonly code: string;
  readonly databaseUrl: string;
  readonly node: Node;
  readonly wireToHome: TcpProxy;
  readonly wireToCentral: TcpProxy;
  /** Two people who work there: one may delete, the other may set clinical fields. */
  readonly administrator: Account;
  readonly doctor: Account;
}

export interface Account {
  readonly id: string;
  readonly email: string;
  readonly token: string;
}

/** Regions, their nodes, and the central database that they share. All databases are real ones. */
export interface World<Node extends ServedNode = ServedNode> {
  readonly regions: readonly Region<Node>[];
  readonly centralUrl: string;
  /** Wires as they should be, and nothing held back by a person. Nodes that were stopped stay so. */
  heal(): Promise<void>;
  remove(): Promise<void>;
}

export interface Plan<Node extends ServedNode> {
  readonly codes: readonly string[];
  readonly startNode: (environment: Record<string, string>) => Promise<Node>;
  /** A server of its own for central, so that it can be stopped. */
  readonly centralCluster?: string;
  readonly homeCluster?: string;
}

/** Nodes in this process: quick to start. */
export function worldInProcess(codes: readonly string[] = ['DKR']): Promise<World<NodeInProcess>> {
  return createWorld({ codes, startNode: (environment) => NodeInProcess.start(environment) });
}

/** Nodes that can be killed. `main` is the program, see NodeProcess.start(). */
export function worldOfProcesses(
  main?: string,
  plan: Partial<Plan<NodeProcess>> = {},
): Promise<World<NodeProcess>> {
  return createWorld({
    codes: ['DKR'],
    startNode: (environment) => NodeProcess.start(environment, main),
    ...plan,
  });
}

export async function createWorld<Node extends ServedNode>(plan: Plan<Node>): Promise<World<Node>> {
  const central = await cloneDatabase(CENTRAL, plan.centralCluster);
  const homes = await Promise.all(plan.codes.map(() => cloneDatabase(REGIONALE, plan.homeCluster)));
  const regions: Region<Node>[] = [];
  for (const [index, code] of plan.codes.entries())
    regions.push(await createRegion(code, homes[index]!, central, plan));
  return {
    regions,
    centralUrl: central.url,
    heal: () => heal(regions),
    async remove() {
      await Promise.all(regions.map(({ node }) => node.remove()));
      await Promise.all(
        regions.flatMap((region) => [region.wireToHome.close(), region.wireToCentral.close()]),
      );
      await Promise.all([central, ...homes].map((database) => database.drop()));
    },
  };
}

async function createRegion<Node extends ServedNode>(
  code: string,
  home: TestDatabase,
  central: TestDatabase,
  { codes, startNode }: Plan<Node>,
): Promise<Region<Node>> {
  const [wireToHome, wireToCentral] = await Promise.all([
    TcpProxy.before(home.url),
    TcpProxy.before(central.url),
  ]);
  const node = await startNode({
    MEDLINK_NODE: codes.length === 1 ? 'standalone' : 'regional',
    MEDLINK_REGION: code,
    DATABASE_REGIONALE_URL: wireToHome.url,
    DATABASE_DEFAULT_URL: wireToCentral.url,
  });
  const token = await logIn(node.url, ADMIN);
  const { id } = (await call(node.url, 'GET /auth/me', { token })).body as { id: string };
  const doctor = await newAccount(node.url, token, { role: 'medecin', region: code });
  const accounts = { administrator: { id, token, email: ADMIN.email }, doctor };
  return { code, databaseUrl: home.url, node, wireToHome, wireToCentral, ...accounts };
}

async function heal(regions: readonly Region[]): Promise<void> {
  for (const { wireToHome, wireToCentral } of regions) {
    for (const wire of [wireToHome, wireToCentral]) {
      wire.degrade({});
      wire.cutAfter(Infinity);
      await wire.become('up');
    }
  }
}

/** SQL as anyone with psql: what it changes is journaled by the database. */
export async function withSession<T>(url: string, work: (session: pg.Client) => Promise<T>): Promise<T> {
  const session = new pg.Client({ connectionString: url, options: '-c TimeZone=UTC' });
  // A server that is stopped under a session tells so by an event; the running query fails too.
  session.on('error', () => session);
  await session.connect();
  try {
    return await work(session);
  } finally {
    await session.end();
  }
}
