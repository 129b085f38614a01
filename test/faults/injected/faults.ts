import { setTimeout as pause } from 'node:timers/promises';
import { call } from '../../accounts/api.js';
import type { NodeProcess } from '../../harness/node-process.js';
import { withSession } from '../world.js';
import { type Fault, type Scene, workGoesOn } from './fault.js';

/** Between the node and central. None of them may keep a clinician waiting. */
const ON_THE_LINK: Readonly<Record<string, Fault>> = {
  'the link is cut': async (scene) => {
    scene.region.wireToCentral.cut();
    await workGoesOn(scene);
  },
  'the link is cut in the middle of what it carries': async (scene) => {
    scene.region.wireToCentral.cutAfter(scene.random.between(100, 100_000));
    await workGoesOn(scene);
  },
  'central cannot be reached': (scene) => whileWire(scene, 'down'),
  'central hangs': (scene) => whileWire(scene, 'hung'),
  'what is sent to central is held up': (scene) => whileWire(scene, 'requests held'),
  'central commits, and its answer is lost': async (scene) => {
    const { wireToCentral } = scene.region;
    await wireToCentral.become('answers held');
    await workGoesOn(scene);
    wireToCentral.cut();
    await wireToCentral.become('up');
  },
  'the link is slow and loses packets': async (scene) => {
    const { region, random } = scene;
    region.wireToCentral.degrade({
      latencyMs: random.between(1, 30),
      bytesPerSecond: random.between(100_000, 2_000_000),
      stallChance: 0.05,
      stallMs: 200,
      random: random.next,
    });
    await workGoesOn(scene);
    region.wireToCentral.degrade({});
  },
};

const AT_CENTRAL: Readonly<Record<string, Fault>> = {
  'central ends its sessions': async (scene) => {
    await withSession(scene.world.centralUrl, (session) => session.query(END_SESSIONS));
    await workGoesOn(scene);
  },
  'someone at central locks the patients': (scene) =>
    whileLocked(scene, 'LOCK TABLE patients IN SHARE ROW EXCLUSIVE MODE'),
  'someone at central locks the cursors': (scene) =>
    whileLocked(scene, 'SELECT FROM replication_cursors FOR UPDATE'),
  'an administrator pauses the exchange': async (scene) => {
    const { node, administrator } = scene.region;
    await call(node.url, 'POST /sync/pause', { token: administrator.token });
    await workGoesOn(scene);
    await call(node.url, 'POST /sync/resume', { token: administrator.token });
  },
};

/** Clinicians notice these. Whoever had an answer must be able to rely on it all the same. */
const AT_HOME: Readonly<Record<string, Fault>> = {
  'the way to the region’s own database is cut': async ({ region, lastsMs }) => {
    region.wireToHome.cut();
    await pause(lastsMs);
  },
  'the region’s own database ends its sessions': async ({ region, lastsMs }) => {
    await withSession(region.databaseUrl, (session) => session.query(END_SESSIONS));
    await pause(lastsMs);
  },
  'the region’s own database commits, and its answer is lost': async ({ region, lastsMs }) => {
    await region.wireToHome.become('answers held');
    await pause(lastsMs / 2);
    region.wireToHome.cut();
    await region.wireToHome.become('up');
  },
  'the node is stopped and started again': async ({ region }) => {
    await region.node.stop();
    await region.node.restart();
  },
};

const OF_THE_PROCESS: Readonly<Record<string, Fault<NodeProcess>>> = {
  'the process is killed': async ({ region }) => {
    await region.node.end('SIGKILL');
    await region.node.restart();
  },
  'the process stands still, and is woken': async ({ region, lastsMs }) => {
    region.node.signal('SIGSTOP');
    await pause(lastsMs);
    region.node.signal('SIGCONT');
  },
  // Less than an access token lives, so that nobody has to sign in again.
  'the node’s clock steps': ({ region, random }) =>
    region.node.moveClock(random.between(-7_200_000, 300_000)),
};

/** TCP notices nothing for minutes: it takes the node its own ten seconds. */
const SLOW_TO_NOTICE: Readonly<Record<string, Fault>> = {
  'the link goes half open': async (scene) => {
    scene.region.wireToCentral.vanish();
    await workGoesOn(scene);
  },
};

export const FAULTS_IN_PROCESS = { ...ON_THE_LINK, ...AT_CENTRAL, ...AT_HOME };
export const FAULTS_OF_PROCESSES = { ...FAULTS_IN_PROCESS, ...OF_THE_PROCESS, ...SLOW_TO_NOTICE };

/** Those of nodes, in the database where it is said. */
export const END_SESSIONS = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND application_name LIKE 'medlink%'`;

async function whileWire(scene: Scene, state: 'down' | 'hung' | 'requests held'): Promise<void> {
  await scene.region.wireToCentral.become(state);
  await workGoesOn(scene);
  await scene.region.wireToCentral.become('up');
}

function whileLocked(scene: Scene, lock: string): Promise<void> {
  return withSession(scene.world.centralUrl, async (session) => {
    await session.query('BEGIN');
    await session.query(lock);
    await workGoesOn(scene);
    await session.query('COMMIT');
  });
}
