import { type ProbeApplication, startProbe } from './probe-application.js';
import { until } from '../harness/until.js';

const CONSOLE = 'https://console.example';
let node: ProbeApplication;

beforeAll(async () => {
  node = await startProbe({ MEDLINK_CORS_ORIGINS: `${CONSOLE}, https://other.example` });
});

afterAll(() => node.stop());

const get = (path: string, headers: Record<string, string> = {}) => fetch(`${node.url}${path}`, { headers });

describe('request ids', () => {
  it('are taken from the request, and answered on every path', async () => {
    for (const path of [
      '/api/v1/probes',
      '/nothing',
      '/api/v1/probes/failure',
      '/api/v1/probes/events',
      '/docs',
    ]) {
      const response = await get(path, { 'x-request-id': 'visit-42' });
      await response.text();
      expect([path, response.headers.get('x-request-id')]).toEqual([path, 'visit-42']);
    }
  });

  it.each(['', 'x'.repeat(129), 'two words'])('are new when the given one is %j', async (given) => {
    const response = await get('/api/v1/probes', { 'x-request-id': given });
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('health', () => {
  it('is live and ready', async () => {
    const live = await get('/health/live');
    expect([live.status, await live.json()]).toEqual([200, { status: 'ok' }]);
    const reachable = async () =>
      ((await (await get('/health/ready')).json()) as any).details.central.reachable;
    await until(reachable, { what: 'central to be reached' });
  });

  it('is ready without central, and not without its own database', async () => {
    const alone = await startProbe({ DATABASE_DEFAULT_URL: 'postgresql://127.0.0.1:1/nowhere' });
    try {
      const ready = async () => {
        const response = await fetch(`${alone.url}/health/ready`);
        return {
          status: response.status,
          type: response.headers.get('content-type'),
          body: await response.json(),
        };
      };
      expect(await ready()).toMatchObject({
        status: 200,
        body: {
          status: 'ok',
          details: { database: { status: 'up' }, central: { status: 'down', reachable: false } },
        },
      });
      await alone.databases.drop();
      expect(await ready()).toMatchObject({
        status: 503,
        type: expect.stringContaining('application/problem+json'),
        body: {
          status: 503,
          details: { database: { status: 'down' }, central: { status: 'down' } },
          requestId: expect.any(String),
        },
      });
    } finally {
      await alone.app.close();
    }
  });
});

it('metrics count requests by route template, and hold no value of a request', async () => {
  await get('/api/v1/probes?q=Ndeye-Canari');
  await get('/api/v1/patients/019300aa-0000-7000-8000-000000000000');
  const text = await (await get('/metrics')).text();
  expect(text).toContain(
    'medlink_http_request_duration_seconds_count{method="GET",route="/api/v1/probes",status="200"}',
  );
  expect(text).toContain('nodejs_eventloop_lag_seconds');
  expect(text).not.toMatch(/Canari|019300aa/);
});

describe('the log', () => {
  it('has one line for a request, with its route and without its values', async () => {
    const requestId = 'logged-once';
    await get('/api/v1/probes?q=Ndeye-Canari&sort=Ndeye-Canari', {
      'x-request-id': requestId,
      authorization: 'Bearer Canari',
      'x-patient': 'Ndeye-Canari',
    });
    const lines = () =>
      node.log.map((line) => JSON.parse(line)).filter((line) => line.requestId === requestId);
    await until(() => lines().length > 0, { what: 'the request to be logged' });
    expect(lines()).toEqual([
      expect.objectContaining({
        level: 'info',
        method: 'GET',
        route: '/api/v1/probes',
        status: 400,
        ms: expect.any(Number),
      }),
    ]);
  });

  it('never holds what a client sent, whatever went wrong with it', async () => {
    const post = (body: string, type = 'application/json') =>
      fetch(`${node.url}/api/v1/probes`, { method: 'POST', body, headers: { 'content-type': type } });
    await post('{"name": "Ndeye-Canari", "Canari": 1}');
    await post('{"name": "Ndeye-Canari');
    await post('Ndeye-Canari', 'text/Canari');
    await get('/Ndeye-Canari?Canari');
    await get('/api/v1/probes/text?value=Canari%00');
    await get(`/api/v1/probes/sql?statement=${encodeURIComponent(`SELECT 'Canari'::uuid`)}`);
    await get(`/api/v1/probes/sql?statement=${encodeURIComponent(`SELECT 1/0 AS "Canari"`)}`);
    await get('/api/v1/probes/parsed?text=Canari');
    await get('/api/v1/probes', { 'x-request-id': 'the-last-one' });
    await until(() => node.log.some((line) => line.includes('the-last-one')), { what: 'the last line' });
    expect(node.log.filter((line) => line.includes('Canari'))).toEqual([]);
  });
});

describe('answers in a browser', () => {
  it('are not kept, load nothing from elsewhere and are framed by nobody', async () => {
    const { headers } = await get('/api/v1/probes');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('upgrade-insecure-requests');
  });

  it('go to pages of the listed origins alone', async () => {
    const allowed = async (origin: string) =>
      (await get('/api/v1/probes', { origin })).headers.get('access-control-allow-origin');
    expect(await allowed(CONSOLE)).toBe(CONSOLE);
    expect(await allowed('https://evil.example')).toBeNull();
    const preflight = await fetch(`${node.url}/api/v1/probes`, {
      method: 'OPTIONS',
      headers: {
        origin: CONSOLE,
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'if-match',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toContain('PATCH');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('If-Match');
  });
});

describe('the documentation', () => {
  it('describes every route with the bearer scheme and its problems', async () => {
    const document = (await (await get('/docs-json')).json()) as any;
    expect(document.openapi).toMatch(/^3\./);
    expect(document.components.securitySchemes.bearer).toMatchObject({ type: 'http', scheme: 'bearer' });
    const { responses } = document.paths['/api/v1/probes'].post;
    const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
    expect(responses['4XX'].content).toEqual(problem);
    expect(responses['5XX'].content).toEqual(problem);
    expect(document.components.schemas.Problem.required).toContain('requestId');
  });

  it('is a page that needs no other host and no inline script', async () => {
    const page = await (await get('/docs')).text();
    expect(page).toContain('MedLink API');
    expect(page).not.toMatch(/(src|href)=["'](https?:)?\/\//);
    expect(page).not.toMatch(/<script>/);
    const script = await get('/docs/swagger-ui-bundle.js');
    await script.text();
    expect([script.status, script.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('javascript'),
    ]);
    expect(await (await get('/docs/swagger-ui-init.js')).text()).toContain('"persistAuthorization": false');
  });
});

describe('a stop', () => {
  it('lets running requests end, and cuts what would never end', async () => {
    const stopping = await startProbe();
    const endless = await fetch(`${stopping.url}/api/v1/probes/endless`);
    const slow = fetch(
      `${stopping.url}/api/v1/probes/sql?statement=${encodeURIComponent('SELECT pg_sleep(1)')}`,
    );
    await until(
      async () =>
        (await stopping.router.home.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'`))
          .length > 0,
      { what: 'the slow request to run' },
    );
    const started = Date.now();
    const stopped = stopping.stop();
    expect((await slow).status).toBe(200);
    await expect(endless.text()).rejects.toThrow();
    await stopped;
    expect(Date.now() - started).toBeLessThan(8_000);
  });
});
