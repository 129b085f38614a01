import { setTimeout as pause } from 'node:timers/promises';
import type { EntitySubscriberInterface } from 'typeorm';
import { createApp } from '../../src/app.js';
import { loadConfig } from '../../src/config/config.js';
import { CaptureSubscriber } from '../../src/journal/capture.subscriber.js';
import { Acknowledgement } from '../../src/journal/acknowledgement.js';
import { PeerRecord } from '../../src/relay/peer-record.js';
import { Uplink } from '../../src/relay/uplink.js';
import { CENTRAL, REGIONALE } from '../../src/routing/connection-names.js';
import { DataRouter } from '../../src/routing/data-router.js';
import type { Answer, CatchUp, Commands, Request } from './protocol.js';

const SAMPLE_MS = 20;
/** Time for the link to come up, and for the start's garbage to go. */
const SETTLE_MS = 2_000;

const config = loadConfig(process.env);
const app = await createApp(config, { [REGIONALE]: config.regionaleUrl, [CENTRAL]: config.centralUrl });
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();

const commands: Commands = {
  async catchUp(last): Promise<CatchUp> {
    await pause(SETTLE_MS);
    const before = process.memoryUsage.rss();
    let highest = before;
    const sampling = setInterval(() => (highest = Math.max(highest, process.memoryUsage.rss())), SAMPLE_MS);
    const cpu = ownCpu();
    const began = performance.now();
    await pauseUplink(false);
    while (app.get(Acknowledgement).current.seq < last) await pause(2);
    const ms = performance.now() - began;
    const spent = ownCpu() - cpu;
    await pause(SETTLE_MS);
    clearInterval(sampling);
    return {
      ms,
      cpu: spent,
      memory: { before, highest, after: process.memoryUsage.rss() },
    };
  },

  async setReplication(on) {
    const { subscribers } = app.get(DataRouter).home;
    const capture = subscribers.findIndex((subscriber) => subscriber instanceof CaptureSubscriber);
    if (on) subscribers.push(...removed.splice(0));
    else if (capture >= 0) removed.push(...subscribers.splice(capture, 1));
    await pauseUplink(!on);
  },

  async setExchange(on) {
    await pauseUplink(!on);
  },

  async cpu() {
    return ownCpu();
  },

  async memory() {
    return process.memoryUsage.rss();
  },

  async accessToken() {
    const answer = await fetch(`${url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: config.adminEmail, password: config.adminPassword }),
    });
    const { accessToken } = (await answer.json()) as { accessToken: string };
    return accessToken;
  },
};
const removed: EntitySubscriberInterface[] = [];

function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

async function pauseUplink(paused: boolean): Promise<void> {
  await app.get(PeerRecord).setPaused(paused ? 'benchmark' : null);
  app.get(Uplink).wake();
}

const answer = (message: Answer) => process.send!(message);

process.on('message', ({ command, argument }: Request) => {
  const work = commands[command] as (argument: unknown) => Promise<unknown>;
  work(argument).then(
    (value) => answer({ value }),
    (error: unknown) => answer({ error: String(error) }),
  );
});
process.on('disconnect', () => {
  app.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
answer({ ready: url });
