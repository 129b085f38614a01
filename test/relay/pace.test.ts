import { setTimeout as pause } from 'node:timers/promises';
import { Patient } from '../../src/patients/patient.entity.js';
import { LINK, type Link } from '../../src/relay/link.js';
import { Pace } from '../../src/relay/pace.js';
import { Uplink } from '../../src/relay/uplink.js';
import { PeerRecord } from '../../src/relay/peer-record.js';
import { DataRouter } from '../../src/routing/data-router.js';
import { registerMany } from '../faults/scenes.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { until } from '../harness/until.js';
import { aPatient } from '../journal/captured-database.js';

describe('Pace', () => {
  let now = 0;
  const pace = new Pace(() => now);

  it('is that of the link while nobody writes', () => {
    expect([pace.givesWay(2_000), pace.entries(2_000)]).toEqual([false, 2_000]);
  });

  it('gives way for a second after a commit: small chunks, and a rest twice as long as each took, to a limit', () => {
    now = 5_000;
    pace.noteCommit();
    now = 5_999;
    expect([pace.givesWay(2_000), pace.entries(2_000)]).toEqual([true, 250]);
    expect([pace.rest(80), pace.rest(8_000)]).toEqual([160, 200]);
    now = 6_000;
    expect([pace.givesWay(2_000), pace.entries(2_000)]).toEqual([false, 2_000]);
  });

  it('is that of a slow link in any case', () => {
    pace.noteCommit();
    expect([pace.givesWay(250), pace.entries(250), pace.entries(3)]).toEqual([false, 250, 3]);
  });
});

const BACKLOG = 3_000;
const SLOW_MS = 60;
/** Chunks that are sent before anybody knows how fast the link is. */
const LOOK_FIRST = 2;

interface Sent {
  readonly count: number;
  readonly begun: number;
  readonly ended: number;
}

describe('a backlog', () => {
  let node: TestApplication;
  let sent: Sent[];
  let underWay: number[];

  beforeEach(async () => {
    node = await startApplication();
    const link: Link = node.app.get(LINK);
    const deliver = link.deliver.bind(link);
    sent = [];
    underWay = [0];
    link.deliver = async (chunk) => {
      const begun = performance.now();
      underWay.push(underWay.at(-1)! + 1);
      try {
        const delivery = await deliver(chunk);
        await pause(SLOW_MS);
        return delivery;
      } finally {
        underWay.push(underWay.at(-1)! - 1);
        sent.push({ count: chunk.count, begun, ended: performance.now() });
      }
    };
  });
  afterEach(() => node.stop());

  const create = () =>
    node.app
      .get(DataRouter)
      .transaction(Patient, { actor: 'test' }, (manager) => manager.insert(Patient, aPatient()));

  /** `meanwhile` goes on for as long as the backlog is sent. */
  const send = async (meanwhile: () => Promise<unknown>) => {
    const peer = node.app.get(PeerRecord);
    const uplink = node.app.get(Uplink);
    await peer.setPaused('test');
    uplink.wake();
    await until(() => uplink.state.status === 'connecting', { what: 'the exchange is paused' });
    await registerMany({ databaseUrl: node.config.regionaleUrl!, code: node.config.region }, BACKLOG, 'each');
    await meanwhile();
    await peer.setPaused(null);
    uplink.wake();
    await until(
      async () => {
        await meanwhile();
        const { rowCount } = await node.central.query('SELECT FROM patients');
        return rowCount! >= BACKLOG;
      },
      { what: 'the backlog is at central', timeoutMs: 40_000 },
    );
  };

  it('that nobody stands beside is sent in large chunks, one behind the other', async () => {
    await send(() => Promise.resolve());
    expect(Math.max(...sent.map(({ count }) => count))).toBeGreaterThan(250);
    expect(Math.max(...underWay)).toBeGreaterThan(1);
  });

  it('gives way to people who write: small chunks, one at a time, and more rest than work', async () => {
    await send(create);
    expect(Math.max(...sent.map(({ count }) => count))).toBe(250);
    // The link has to be seen to be fast first.
    const paced = sent.slice(LOOK_FIRST).filter(({ count }) => count === 250);
    expect(paced.length).toBeGreaterThan(5);
    const rests = paced.slice(0, -1).map((chunk) => sent[sent.indexOf(chunk) + 1]!.begun - chunk.ended);
    expect(Math.min(...rests)).toBeGreaterThan(2 * SLOW_MS - 2);
  });
});
