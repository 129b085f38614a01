import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { Acknowledgement } from '../../src/journal/acknowledgement.js';
import { Patient } from '../../src/patients/patient.entity.js';
import { CentralSession } from '../../src/relay/central-session.js';
import { ExchangeWatch } from '../../src/relay/exchange-watch.js';
import { LINK, type Link } from '../../src/relay/link.js';
import { StallClock } from '../../src/relay/stall-clock.js';
import { Uplink } from '../../src/relay/uplink.js';
import { DataRouter } from '../../src/routing/data-router.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { cloneDatabases, type TestDatabases } from '../harness/databases.js';
import { TcpProxy } from '../harness/tcp-proxy.js';
import { until } from '../harness/until.js';
import { aPatient } from '../journal/captured-database.js';

interface Status {
  link: { state: string; since: string; lastError: { code: string; at: string } | null };
  uplink: { pending: number };
}

/** Nothing stands still in silence. */
describe('an exchange that should move', () => {
  let centralDatabases: TestDatabases;
  let wire: TcpProxy;
  let node: TestApplication;
  let central: pg.Client;
  let token: string;
  const watches: ExchangeWatch[] = [];

  beforeEach(async () => {
    centralDatabases = await cloneDatabases();
    wire = await TcpProxy.before(centralDatabases.centralUrl);
    node = await startApplication({ DATABASE_DEFAULT_URL: wire.url });
    central = new pg.Client({ connectionString: centralDatabases.centralUrl });
    await central.connect();
    token = await node.adminToken();
    await until(async () => (await status()).link.state === 'up', { what: 'the link is up' });
  });
  afterEach(async () => {
    for (const watch of watches.splice(0)) await watch.beforeApplicationShutdown();
    await node.stop();
    await central.end();
    await wire.close();
    await centralDatabases.drop();
  });

  const call = async (path: string, method = 'GET') => {
    const answer = await fetch(`${node.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
    });
    return answer.json();
  };
  const status = async () => (await call('/sync/status')) as Status;
  const alerts = async () =>
    ((await call('/alerts')) as { items: { code: string; count: number }[] }).items.filter(
      ({ code }) => code === 'EXCHANGE_STALLED',
    );
  const create = () =>
    node.app
      .get(DataRouter)
      .transaction(Patient, { actor: 'test' }, (manager) => manager.insert(Patient, aPatient()));
  const whenAtCentral = (count: number, timeoutMs = 10_000) =>
    until(async () => (await central.query('SELECT FROM patients')).rowCount === count, {
      what: `${count} patients at central`,
      timeoutMs,
    });
  /** As the node watches itself, but with less patience. */
  const watch = (afterMs: number) => {
    const { app } = node;
    const impatient = new ExchangeWatch(app.get(DataRouter), app.get(Acknowledgement), app.get(Uplink), {
      afterMs,
      lookEveryMs: 50,
    });
    watches.push(impatient);
    impatient.onApplicationBootstrap();
  };

  it('and waits for an answer that never comes: an alert tells, and it begins anew by itself', async () => {
    const link: Link = node.app.get(LINK);
    const deliver = link.deliver.bind(link);
    let isSent = false;
    link.deliver = () => {
      isSent = true;
      return new Promise(() => undefined);
    };
    await create();
    await until(() => isSent, { what: 'a change is sent, and not answered' });
    link.deliver = deliver;
    watch(1_000);
    await whenAtCentral(1);
    // It begins anew first, and tells then: that may still be on its way.
    await until(async () => (await alerts()).length > 0, { what: 'the alert' });
    expect(await alerts()).toMatchObject([{ count: 1, severity: 'critical', subject: 'central' }]);
    expect((await status()).link.lastError).toMatchObject({
      code: 'EXCHANGE_STALLED',
      meaning: { fr: expect.stringContaining('attendent') as string },
    });
    await create();
    await whenAtCentral(2);
    expect(await alerts()).toMatchObject([{ count: 1 }]);
  });

  it('and waits behind a position that an open transaction holds: the alert counts on until it has ended', async () => {
    await node.regionale.query('BEGIN');
    await node.regionale.query(`SELECT nextval('journal_seq')`);
    await create();
    watch(500);
    await until(async () => Number((await alerts())[0]?.count) >= 2, { what: 'the alert is raised again' });
    expect((await central.query('SELECT FROM patients')).rowCount).toBe(0);
    await node.regionale.query('ROLLBACK');
    await whenAtCentral(1);
  });

  it('and whose own database does not let its journal be read: an alert tells', async () => {
    await node.regionale.query('BEGIN');
    await node.regionale.query('LOCK TABLE journal IN ACCESS EXCLUSIVE MODE');
    watch(500);
    const raised = () => node.regionale.query(`SELECT FROM alerts WHERE code = 'EXCHANGE_STALLED'`);
    await until(async () => (await raised()).rowCount === 1, { what: 'the alert', timeoutMs: 15_000 });
    await node.regionale.query('ROLLBACK');
    await create();
    await whenAtCentral(1);
  }, 60_000);

  it('but has nothing to send, cannot reach central or is paused, is left alone', async () => {
    watch(2_000);
    const quiet = async () => {
      const end = performance.now() + 3_000;
      await until(() => performance.now() > end, { what: 'time passes' });
      expect(await alerts()).toEqual([]);
    };
    await quiet();
    await wire.become('down');
    await create();
    await until(async () => (await status()).link.state === 'down', { what: 'central is away' });
    await quiet();
    await wire.become('up');
    await whenAtCentral(1);
    await call('/sync/pause', 'POST');
    await create();
    await quiet();
    expect((await status()).uplink.pending).toBe(1);
    await call('/sync/resume', 'POST');
    await whenAtCentral(2);
    expect(await alerts()).toEqual([]);
  });

  it('over a line that went half open while it was idle: noticed within 15 s, and mended', async () => {
    wire.vanish();
    const begun = performance.now();
    await until(async () => (await status()).link.lastError !== null, {
      what: 'the silence is noticed',
      timeoutMs: 15_000,
    });
    await create();
    await whenAtCentral(1, 5_000);
    expect(performance.now() - begun).toBeLessThan(18_000);
  }, 40_000);

  it('is led by one session for each region; a process ends what a broken line left of its own', async () => {
    const open = (owner: string) =>
      CentralSession.open(node.app.get(DataRouter).centralSource(), new Map(), owner);
    const [mine, others] = [randomUUID(), randomUUID()];
    const [first, rival, again] = [await open(mine), await open(others), await open(mine)];
    expect(await first.lead('THS')).toBe(true);
    expect(await rival.lead('THS')).toBe(false);
    expect(await rival.lead('ZIG')).toBe(true);
    expect(await again.lead('THS')).toBe(true);
    await expect(first.ask('SELECT 1')).rejects.toThrow();
    expect(await rival.lead('THS')).toBe(false);
    again.close();
    await until(() => rival.lead('THS'), { what: 'the lock is free' });
    rival.close();
  });
});

describe('StallClock', () => {
  it('counts while something should move, and begins again when it does', () => {
    let now = 0;
    const clock = new StallClock(() => now);
    const pass = (ms: number) => {
      now += ms;
      return clock.look(10);
    };
    expect(pass(5)).toBe(5);
    expect(pass(5)).toBe(10);
    clock.moved();
    expect(pass(5)).toBe(5);
    clock.rest();
    expect(pass(5)).toBe(0);
    clock.reached();
    expect(pass(5)).toBe(5);
  });

  it('a process that was stopped for minutes has not waited for them', () => {
    let now = 0;
    const clock = new StallClock(() => now);
    now += 600_000;
    expect(clock.look(10)).toBe(10);
  });
});
