import { isDeepStrictEqual } from 'node:util';
import { call, newAccount } from '../accounts/api.js';
import { startApplication, type TestApplication } from '../harness/application.js';
import { until } from '../harness/until.js';

const AWA = { familyName: 'Diop', givenNames: 'Awa', birthDate: '1987-03-14', sex: 'female' };

interface Told {
  readonly event: string;
  readonly data: any;
  /** By the monotonic clock. */
  readonly at: number;
}

/** A stream of events, as a page reads it. */
class Stream {
  readonly told: Told[] = [];
  ended = false;

  private constructor(
    readonly response: Response,
    private readonly abort: AbortController,
  ) {}

  static async open(url: string, token: string, headers: Record<string, string> = {}): Promise<Stream> {
    const abort = new AbortController();
    const response = await fetch(`${url}/api/v1/sync/events`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...headers },
      signal: abort.signal,
    });
    const stream = new Stream(response, abort);
    void stream.read();
    return stream;
  }

  close(): void {
    this.abort.abort();
  }

  private texts(): AsyncIterable<string> {
    return this.response.body!.pipeThrough(new TextDecoderStream());
  }

  private async read(): Promise<void> {
    let text = '';
    try {
      for await (const chunk of this.texts()) {
        text += chunk;
        const blocks = text.split('\n\n');
        text = blocks.pop()!;
        this.told.push(...blocks.flatMap((block) => told(block)));
      }
    } catch (error) {
      if (!this.abort.signal.aborted) throw error;
    }
    this.ended = true;
  }
}

function told(block: string): Told[] {
  const event = /^event: (.*)$/m.exec(block)?.[1];
  const data = /^data: (.*)$/m.exec(block)?.[1];
  return event && data ? [{ event, data: JSON.parse(data), at: performance.now() }] : [];
}

describe('who follows the status', () => {
  let node: TestApplication;
  let admin: string;
  const streams: Stream[] = [];
  const follow = async (token: string, headers?: Record<string, string>) => {
    const stream = await Stream.open(node.url, token, headers);
    streams.push(stream);
    return stream;
  };

  beforeAll(async () => {
    node = await startApplication();
    admin = await node.adminToken();
    const up = async () =>
      (await call(node.url, 'GET /sync/status', { token: admin })).body.link.state === 'up';
    await until(up, { what: 'the link is up' });
  });
  afterEach(() => {
    for (const stream of streams.splice(0)) stream.close();
  });
  afterAll(() => node.stop());

  it('is told it at once, as GET /sync/status answers it, and again when it changes', async () => {
    const stream = await follow(admin, { 'last-event-id': '77' });
    expect(stream.response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(stream.response.headers.get('cache-control')).toContain('no-store');
    expect(stream.response.headers.get('x-request-id')).toBeTruthy();
    await until(() => stream.told[0], { what: 'the first event' });
    const { body: status } = await call(node.url, 'GET /sync/status', { token: admin });
    expect(stream.told[0]).toMatchObject({ event: 'status', data: { node: 'standalone', region: 'DKR' } });
    expect(Object.keys(stream.told[0]!.data)).toEqual(Object.keys(status));

    await call(node.url, 'POST /sync/pause', { token: admin });
    await until(() => stream.told.at(-1)!.data.link.state === 'paused', { what: 'the pause is told' });
    await call(node.url, 'POST /patients', { token: admin, body: AWA });
    await until(() => stream.told.at(-1)!.data.uplink.pending > 0, { what: 'what waits is told' });
    await call(node.url, 'POST /sync/resume', { token: admin });
    await until(() => stream.told.at(-1)!.data.uplink.pending === 0, { what: 'that nothing waits is told' });
  });

  it('hears when nothing changes, too, so that silence means something', async () => {
    const stream = await follow(admin);
    // Only what is told again is the same twice: what has not changed is told no sooner.
    const isToldAgain = () => {
      const [before, last] = stream.told.slice(-2);
      return last && isDeepStrictEqual(before!.data, last.data) && last.at - before!.at;
    };
    const silence = await until(isToldAgain, { what: 'the same again', timeoutMs: 40_000 });
    expect(silence).toBeGreaterThan(10_000);
    expect(silence).toBeLessThan(15_500);
  }, 50_000);

  it.each(['medecin', 'specialiste', 'infirmier', 'secretaire', 'admin_regional', 'auditeur'])(
    'may be a %s',
    async (role) => {
      const { token } = await newAccount(node.url, admin, { role, region: 'DKR' });
      const stream = await follow(token);
      await until(() => stream.told[0], { what: 'the first event' });
    },
  );

  it('needs a token, and takes events', async () => {
    expect((await call(node.url, 'GET /sync/events')).status).toBe(401);
    expect((await call(node.url, 'GET /sync/events', { token: `${admin}x` })).status).toBe(401);
    const json = { accept: 'application/json' };
    expect((await call(node.url, 'GET /sync/events', { token: admin, headers: json })).status).toBe(406);
    expect((await call(node.url, 'GET /sync/events?token=x', { token: admin })).status).toBe(400);
  });

  it('leaves nothing open when only the head is asked for', async () => {
    const { token } = await newAccount(node.url, admin, { role: 'medecin', region: 'DKR' });
    for (let count = 0; count < 11; count++) {
      const head = await fetch(`${node.url}/api/v1/sync/events`, {
        method: 'HEAD',
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(5_000),
      });
      expect(head.status).not.toBe(429);
    }
    expect((await follow(token)).response.status).toBe(200);
  });

  it.each([
    ['the session ends', (account: { token: string }) => call(node.url, 'POST /auth/logout', account)],
    ['the account is disabled', (account: { id: string }) => patch(account.id, { disabled: true })],
    ['the role changes', (account: { id: string }) => patch(account.id, { role: 'secretaire' })],
  ])('is told no more when %s', async (_, end) => {
    const account = await newAccount(node.url, admin, { role: 'medecin', region: 'DKR' });
    const [stream, other] = [await follow(account.token), await follow(admin)];
    await until(() => stream.told[0], { what: 'the first event' });
    await end(account);
    await until(() => stream.ended, { what: 'the stream ends' });
    expect(other.ended).toBe(false);
  });
  const patch = (id: string, body: object) => call(node.url, `PATCH /users/${id}`, { token: admin, body });

  it('has ten windows, and again when one is closed', async () => {
    const { token } = await newAccount(node.url, admin, { role: 'medecin', region: 'DKR' });
    const open = await Promise.all(Array.from({ length: 10 }, () => follow(token)));
    await until(() => open.every((stream) => stream.told[0]), { what: 'all are told' });
    const refused = await call(node.url, 'GET /sync/events', { token });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
    open[0]!.close();
    await until(async () => (await follow(token)).response.status === 200, { what: 'another window' });
  });
});

it('a node that stops ends its streams, and stops in time', async () => {
  const node = await startApplication();
  const stream = await Stream.open(node.url, await node.adminToken());
  await until(() => stream.told[0], { what: 'the first event' });
  const begun = performance.now();
  await node.app.close();
  expect(performance.now() - begun).toBeLessThan(3_000);
  await until(() => stream.ended, { what: 'the stream ends' });
  await node.stop();
}, 30_000);
