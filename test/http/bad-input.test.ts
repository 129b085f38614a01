import { connect } from 'node:net';
import { type ProbeApplication, startProbe } from './probe-application.js';

let node: ProbeApplication;

beforeAll(async () => {
  node = await startProbe();
});

afterAll(() => node.stop());

const JSON_BODY = { 'content-type': 'application/json' };

async function send(
  method: string,
  path: string,
  body?: string | Buffer,
  headers: Record<string, string> = JSON_BODY,
) {
  const init = body === undefined ? { method } : { method, body, headers };
  const response = await fetch(`${node.url}${path}`, init);
  return { status: response.status, headers: response.headers, problem: (await response.json()) as any };
}

const post = (body: string | Buffer, headers = JSON_BODY) => send('POST', '/api/v1/probes', body, headers);

/** Everything that every problem has. */
function expectProblem({ status, headers, problem }: Awaited<ReturnType<typeof send>>, expected: number) {
  expect({ status, problem }).toMatchObject({ status: expected, problem: { status: expected } });
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect(problem.type).toMatch(/^https:\/\/medlink\.example\/problems\/[a-z-]+$/);
  expect(problem.title).toMatch(/./);
  expect(problem.detail).toMatch(/./);
  expect(problem.instance).toMatch(/^\//);
  expect(problem.requestId).toBe(headers.get('x-request-id'));
}

describe('a body that cannot be read is a 400', () => {
  const nested = '['.repeat(10_000) + ']'.repeat(10_000);

  it.each([
    ['is cut off', '{"name": "Aw'],
    ['is not JSON at all', 'name=Awa'],
    ['is not an object', '["Awa"]'],
    ['is null', 'null'],
    ['is nested 10,000 levels deep', `{"name": "Awa", "place": ${nested}}`],
    ['names __proto__', '{"name": "Awa", "__proto__": {"admin": true}}'],
    ['hides __proto__ behind an escape', '{"name": "Awa", "\\u005f_proto__": {"admin": true}}'],
    [
      'names __proto__ deep inside',
      '{"name": "Awa", "place": {"city": "Dakar", "__proto__": {"latitude": 7}}}',
    ],
    ['names constructor', '{"name": "Awa", "constructor": {"prototype": {"admin": true}}}'],
    ['gives a key twice', '{"name": "Awa", "name": "Binta"}'],
    ['gives a key twice, once escaped', '{"name": "Awa", "n\\u0061me": "Binta"}'],
    ['holds half of a surrogate pair', '{"name": "Awa \\ud83d"}'],
    ['is not UTF-8', Buffer.from('{"name": "\xe9\xe8"}', 'latin1')],
    ['names toString', '{"name": "Awa", "toString": 1}'],
    ['names hasOwnProperty deep inside', '{"name": "Awa", "place": {"city": "Dakar", "hasOwnProperty": 1}}'],
    ['is empty', ''],
    ['has an unknown property', '{"name": "Awa", "admin": true}'],
    ['has a value of another type', '{"name": 7}'],
  ])('when it %s', async (_what, body) => {
    expectProblem(await post(body), 400);
  });

  it('and names every bad field, the 422 ones too', async () => {
    const { problem } = await post('{"name":7,"admin":true,"place":{"latitude":91},"places":[{"city":3}]}');
    expect(problem.errors).toEqual([
      { path: 'admin', message: 'is not known here' },
      { path: 'name', message: 'must be a string' },
      { path: 'place.city', message: 'is required' },
      { path: 'place.latitude', message: 'must not be greater than 90' },
      { path: 'places.0.city', message: 'must be a string' },
    ]);
  });

  it('and says which are only read', async () => {
    const { problem } = await post('{"id":"7","name":"Awa","version":3,"place":{"id":"7","city":"Dakar"}}');
    expect(problem.errors).toEqual([
      { path: 'id', message: 'is read-only' },
      { path: 'version', message: 'is read-only' },
      { path: 'place.id', message: 'is not known here' },
    ]);
  });

  it('and says one thing of each field, in words for people', async () => {
    const { problem } = await post('{"name":7,"place":{"city":"Dakar","latitude":"north"},"places":{}}');
    expect(problem.errors).toEqual([
      { path: 'name', message: 'must be a string' },
      { path: 'place.latitude', message: 'must be a whole number' },
      { path: 'places', message: 'must be a list' },
    ]);
    expect((await post('{"name":""}')).problem.errors).toEqual([
      { path: 'name', message: 'must have at least 2 characters' },
    ]);
  });

  it('and names the key that was given twice', async () => {
    const { problem } = await post(
      '{"name":"Awa","places":[{"city":"Dakar"},{"city":"Thiès","city":"Louga"}]}',
    );
    expect(problem.errors).toEqual([{ path: 'places.1.city', message: 'is given more than once' }]);
  });
});

describe('a body that can be read, with values that cannot be accepted, is a 422', () => {
  it.each([
    ['a required value is missing', '{}', 'name'],
    ['a required value is null', '{"name": null}', 'name'],
    [
      'a value is out of range',
      '{"name": "Awa", "place": {"city": "Dakar", "latitude": 91}}',
      'place.latitude',
    ],
    ['a text holds U+0000', '{"name": "Awa\\u0000"}', 'name'],
  ])('when %s', async (_what, body, path) => {
    const answer = await post(body);
    expectProblem(answer, 422);
    expect(answer.problem.errors.map((error: any) => error.path)).toEqual([path]);
  });
});

it('accepts names as people have them', async () => {
  const names = ["N'Diaye-Ó Súilleabháin", 'محمد الأمين', 'Li', 'Jean 2', '👩‍⚕️ Awa'];
  for (const name of names) {
    const answer = await post(JSON.stringify({ name, place: null }));
    expect([answer.status, answer.problem.name]).toEqual([201, name]);
  }
});

describe('a query that cannot be understood is a 400', () => {
  it.each([
    'limit=abc',
    'limit=1&limit=2',
    'limit=',
    'total=maybe',
    'admin=1',
    'q=a&q=b',
    '__proto__=1',
    'valueOf=1',
  ])('%s', async (query) => {
    const answer = await send('GET', `/api/v1/probes?${query}`);
    expectProblem(answer, 400);
    expect(answer.problem.errors).toHaveLength(1);
  });

  it('an unknown sort too', async () => {
    const answer = await send('GET', '/api/v1/probes?sort=password');
    expectProblem(answer, 400);
    expect(answer.problem.errors).toEqual([{ path: 'sort', message: 'must be one of name, -name' }]);
  });

  it.each(['limit=%', 'q=%zz', 'q=Awa%f', 'q=%ff%fe', 'unknown=%'])('undecodable: %s', async (query) => {
    expectProblem(await send('GET', `/api/v1/probes?${query}`), 400);
  });

  it('a parameter that the route does not take, whether it takes others or none', async () => {
    const id = '019300aa-0000-7000-8000-000000000000';
    for (const [method, path, body] of [
      ['POST', '/api/v1/probes?admin=1&toString=1', '{"name": "Awa"}'],
      ['PATCH', `/api/v1/probes/${id}?admin=1&toString=1`, '{"name": "Awa"}'],
      ['GET', '/api/v1/probes/csv?admin=1&toString=1', undefined],
      ['GET', '/api/v1/probes/text?value=a&admin=1&toString=1', undefined],
      ['GET', '/health/live?admin=1&toString=1', undefined],
    ] as const) {
      const answer = await send(method, path, body);
      expectProblem(answer, 400);
      expect([path, answer.problem.errors.map((error: any) => error.path)]).toEqual([
        path,
        ['admin', 'toString'],
      ]);
    }
    expect((await send('GET', '/api/v1/probes/text?value=50%25')).status).toBe(200);
  });

  it('a cursor that is too long, and names it', async () => {
    const answer = await send('GET', `/api/v1/probes?cursor=${'a'.repeat(2_001)}`);
    expectProblem(answer, 400);
    expect(answer.problem.errors).toEqual([{ path: 'cursor', message: 'must have at most 2000 characters' }]);
  });

  it.each(['limit=1e9', 'limit=0', 'limit=-1', 'limit=201'])('and %s a 422', async (query) => {
    expectProblem(await send('GET', `/api/v1/probes?${query}`), 422);
  });
});

describe('media types and sizes', () => {
  it.each([
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'text/csv',
    'multipart/form-data; boundary=x',
  ])('%s is a 415', async (type) => {
    expectProblem(await post('name=Awa', { 'content-type': type }), 415);
  });

  it.each(['iso-8859-1', '"ISO-8859-1"', 'utf-16', 'us-ascii'])('JSON in %s is a 415', async (charset) => {
    expectProblem(
      await post('{"name": "Awa"}', { 'content-type': `application/json; charset=${charset}` }),
      415,
    );
  });

  it.each(['utf-8', 'UTF8', '"utf-8"'])('JSON in %s is read', async (charset) => {
    const type = { 'content-type': `application/json; charset=${charset}` };
    expect((await post('{"name": "Awa"}', type)).status).toBe(201);
  });

  it('a 415 says what the route takes', async () => {
    const detail = async (method: string, path: string, type: string) => {
      const answer = await send(method, path, 'x', { 'content-type': type });
      expectProblem(answer, 415);
      return answer.problem.detail;
    };
    const id = '019300aa-0000-7000-8000-000000000000';
    expect(await detail('POST', '/api/v1/probes', 'text/csv')).toBe('Send application/json.');
    expect(await detail('PATCH', `/api/v1/probes/${id}`, 'text/plain')).toBe(
      'Send application/json or application/merge-patch+json.',
    );
    for (const type of ['application/json', 'text/plain']) {
      const said = await detail('POST', '/api/v1/probes/lines', type);
      expect(said).toContain('application/ndjson');
      expect(said).toContain('text/csv');
    }
  });

  it('a body without a type is a 415', async () => {
    expectProblem(await post(Buffer.from('{}'), {} as typeof JSON_BODY), 415);
  });

  it('a merge patch is for PATCH alone', async () => {
    const type = { 'content-type': 'application/merge-patch+json' };
    expectProblem(await post('{"name":"Awa"}', type), 415);
    const id = '019300aa-0000-7000-8000-000000000000';
    const patched = await send('PATCH', `/api/v1/probes/${id}`, '{"name":"Awa"}', type);
    expect([patched.status, patched.problem]).toEqual([200, { id, name: 'Awa' }]);
  });

  it('a megabyte is too much, unless the route reads its body as a stream', async () => {
    const large = 'x'.repeat(1024 * 1024 + 1);
    expectProblem(await post(large), 413);
    const lines = await send('POST', '/api/v1/probes/lines', large, {
      'content-type': 'application/x-ndjson',
    });
    expect([lines.status, lines.problem]).toEqual([201, { bytes: large.length }]);
  });

  it.each(['application/xml', 'text/html', 'application/json;q=0'])('Accept: %s is a 406', async (accept) => {
    const response = await fetch(`${node.url}/api/v1/probes`, { headers: { accept } });
    expect(response.status).toBe(406);
    expect(await response.json()).toMatchObject({ type: 'https://medlink.example/problems/not-acceptable' });
  });

  it.each(['application/json', 'application/*', 'text/html, */*;q=0.1', 'application/problem+json'])(
    'Accept: %s is answered',
    async (accept) => {
      const response = await fetch(`${node.url}/api/v1/probes`, { headers: { accept } });
      expect(response.status).toBe(200);
    },
  );

  it('what a route produces besides JSON may be asked for', async () => {
    const ask = async (path: string, accept: string) =>
      (await fetch(`${node.url}/api/v1/probes/${path}`, { headers: { accept } })).status;
    expect(await ask('csv', 'text/csv')).toBe(200);
    expect(await ask('csv', 'text/event-stream')).toBe(406);
    expect(await ask('events', 'text/event-stream')).toBe(200);
  });
});

describe('paths and methods', () => {
  it('an unknown path is a 404', async () => {
    expectProblem(await send('GET', '/api/v1/nothing?q=Canari'), 404);
    expectProblem(await send('GET', '/api/v1/probes/'), 404);
  });

  it('a known path with another method is a 405 that says which', async () => {
    const answer = await send('DELETE', '/api/v1/probes');
    expectProblem(answer, 405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD, POST');
  });

  it('a malformed id is a 400', async () => {
    expectProblem(await send('PATCH', '/api/v1/probes/7', '{}'), 400);
  });

  it('a URL that cannot be decoded is a 400, an endless one a 414', async () => {
    expectProblem(await send('PATCH', '/api/v1/probes/%zz', '{}'), 400);
    expectProblem(await send('PATCH', `/api/v1/probes/${'7'.repeat(300)}`, '{}'), 414);
  });
});

describe('the form of an Idempotency-Key is judged on every POST, and on nothing else', () => {
  const withKey = (method: string, path: string, key: string) =>
    send(method, path, '{"name": "Awa"}', { ...JSON_BODY, 'idempotency-key': key });

  it.each([
    ['empty', ''],
    ['too long', 'x'.repeat(256)],
    ['not ASCII', 'cl\u00e9'],
  ])('%s: 400', async (_what, key) => {
    expectProblem(await withKey('POST', '/api/v1/probes', key), 400);
    const id = '019300aa-0000-7000-8000-000000000000';
    expect((await withKey('PATCH', `/api/v1/probes/${id}`, key)).status).toBe(200);
  });

  it('usable: read', async () => {
    expect((await withKey('POST', '/api/v1/probes', 'a key of 255 ' + 'x'.repeat(242))).status).toBe(201);
  });
});

describe('what is hardly HTTP', () => {
  const speak = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(node.url).port), '127.0.0.1', () => socket.write(text));
      let heard = '';
      socket.on('data', (chunk) => (heard += String(chunk)));
      socket.on('close', () => resolve(heard));
      socket.on('error', reject);
    });

  it('is a 400 problem', async () => {
    const heard = await speak('HELLO THERE\r\n\r\n');
    expect(heard).toMatch(/^HTTP\/1\.1 400 /);
    expect(heard).toContain('application/problem+json');
  });

  it('with too large headers is a 431 problem', async () => {
    const heard = await speak(
      `GET /api/v1/probes?q=Canari HTTP/1.1\r\nHost: a\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`,
    );
    expect(heard).toMatch(/^HTTP\/1\.1 431 /);
    expect(JSON.parse(heard.split('\r\n\r\n')[1]!)).toMatchObject({
      status: 431,
      detail: expect.any(String),
      instance: '/api/v1/probes',
      requestId: expect.any(String),
    });
    expect(heard).not.toContain('Canari');
  });
});
