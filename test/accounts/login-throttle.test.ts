import { delayAfter, LoginThrottle } from '../../src/accounts/login/login-throttle.js';
import { ADMIN, logIn, startApplication } from '../harness/application.js';
import { call, newAccount, type Reply } from './api.js';

const HERE = '192.0.2.1';
const ELSEWHERE = '198.51.100.7';
const wrong = () => Promise.resolve(undefined);
const right = () => Promise.resolve('in');

function throttleAt(time: { now: number }) {
  return new LoginThrottle(() => time.now);
}

async function failTimes(throttle: LoginThrottle, times: number, address = HERE): Promise<void> {
  for (let i = 0; i < times; i += 1) await throttle.attempt('awa', address, wrong);
}

test('the delay grows from nothing to a quarter of an hour', () => {
  expect([0, 4, 5, 6, 7, 10, 14, 15, 1_000].map(delayAfter)).toEqual([0, 0, 1, 2, 4, 32, 512, 900, 900]);
});

test('after five wrong passwords even the right one waits, and then works', async () => {
  const time = { now: 0 };
  const throttle = throttleAt(time);
  await failTimes(throttle, 5);
  expect(await throttle.attempt('awa', HERE, right)).toEqual({ outcome: 'wait', seconds: 1 });
  time.now += 1_000;
  expect(await throttle.attempt('awa', HERE, right)).toEqual({ outcome: 'accepted', value: 'in' });
  expect(await throttle.attempt('awa', HERE, wrong)).toEqual({ outcome: 'refused' });
});

test('who sits elsewhere is not kept out, nor are others who sit here', async () => {
  const throttle = throttleAt({ now: 0 });
  await failTimes(throttle, 5);
  expect(await throttle.attempt('awa', ELSEWHERE, right)).toMatchObject({ outcome: 'accepted' });
  expect(await throttle.attempt('moussa', HERE, right)).toMatchObject({ outcome: 'accepted' });
  expect(await throttle.attempt('awa', HERE, right)).toMatchObject({ outcome: 'wait' });
});

test('a burst gets no more guesses than patience does', async () => {
  const throttle = throttleAt({ now: 0 });
  let guesses = 0;
  const guess = () => {
    guesses += 1;
    return wrong();
  };
  const burst = await Promise.all(Array.from({ length: 200 }, () => throttle.attempt('awa', HERE, guess)));
  expect(guesses).toBe(5);
  expect(burst.filter(({ outcome }) => outcome === 'wait')).toHaveLength(195);
});

test('twenty people at one desk may sign in at once', async () => {
  const throttle = throttleAt({ now: 0 });
  const attempts = await Promise.all(Array.from({ length: 20 }, () => throttle.attempt('awa', HERE, right)));
  expect(attempts.every(({ outcome }) => outcome === 'accepted')).toBe(true);
});

test('a failing database is no wrong password', async () => {
  const throttle = throttleAt({ now: 0 });
  const broken = () => Promise.reject(new Error('away'));
  for (let i = 0; i < 10; i += 1) await expect(throttle.attempt('awa', HERE, broken)).rejects.toThrow('away');
  expect(await throttle.attempt('awa', HERE, right)).toMatchObject({ outcome: 'accepted' });
});

test('an hour of quiet is a new start', async () => {
  const time = { now: 0 };
  const throttle = throttleAt(time);
  await failTimes(throttle, 5);
  time.now += 3_600_000;
  await failTimes(throttle, 4);
  expect(await throttle.attempt('awa', HERE, right)).toMatchObject({ outcome: 'accepted' });
});

test('over HTTP: 401, then 429 that says how long, for unknown accounts alike', async () => {
  const node = await startApplication();
  try {
    const { email } = await newAccount(node.url, await node.adminToken(), { role: 'medecin' });
    for (const account of [email, 'nobody@medlink.example']) {
      const answers = await guessUntilSlowed(node.url, account);
      expect(answers.slice(0, 5).map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
      const slowed = answers.at(-1)!;
      expect(slowed.status).toBe(429);
      expect(Number(slowed.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(slowed.headers.get('content-type')).toMatch('application/problem+json');
    }
    await logIn(node.url, ADMIN);
  } finally {
    await node.stop();
  }
});

/** On a busy machine a guess may take longer than the first delays, but not than those that follow. */
async function guessUntilSlowed(url: string, email: string): Promise<Reply[]> {
  const answers: Reply[] = [];
  while (answers.at(-1)?.status !== 429 && answers.length < 15) {
    answers.push(await call(url, 'POST /auth/login', { body: { email, password: 'guess' } }));
  }
  return answers;
}
