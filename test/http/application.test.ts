import { STREAMED_TYPES } from '../../src/http/streamed-body.decorator.js';
import { until } from '../harness/until.js';
import { startApplication, type TestApplication } from '../harness/application.js';

const METHODS = ['get', 'put', 'post', 'patch', 'delete'] as const;
let node: TestApplication;
let document: any;
let token: string;

interface Operation {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: any;
}

beforeAll(async () => {
  node = await startApplication();
  document = await (await fetch(`${node.url}/docs-json`)).json();
  token = await node.adminToken();
});

afterAll(() => node.stop());

function operations(): Operation[] {
  return Object.entries<any>(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      operation: item[method],
    })),
  );
}

describe('the OpenAPI document of the whole application', () => {
  it('refers only to schemas that it has', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    const missing = references
      .map(([, name]) => name!)
      .filter((name) => !(name in document.components.schemas));
    expect(references.length).toBeGreaterThan(0);
    expect(missing).toEqual([]);
  });

  it('declares each parameter of each path, and names each operation once', () => {
    for (const { name, path, operation } of operations()) {
      const declared = (operation.parameters ?? []).filter((parameter: any) => parameter.in === 'path');
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      expect([name, declared.map((parameter: any) => parameter.name).sort()]).toEqual([name, inPath.sort()]);
    }
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('gives every body a schema, and every operation its problems', () => {
    for (const { name, operation } of operations()) {
      expect([name, Object.keys(operation.responses)]).toEqual([
        name,
        expect.arrayContaining(['4XX', '5XX']),
      ]);
      const contents = Object.values<any>(operation.requestBody?.content ?? {});
      expect([name, contents.filter(({ schema }) => !schema)]).toEqual([name, []]);
    }
  });
});

describe('the examples of the OpenAPI document', () => {
  const send = (method: string, path: string, type: string, body: string | FormData) =>
    fetch(`${node.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'if-match': '*', ...(type && { 'content-type': type }) },
      body,
    });
  const first = (examples: object) => Object.values<any>(examples)[0].value;
  const contentOf = (path: string, method: string) => document.paths[path][method].requestBody.content;

  it('register, replace and change a patient as they are, as the first administrator', async () => {
    const { schemas } = document.components;
    const json = contentOf('/api/v1/patients', 'post')['application/json'];
    for (const example of [schemas.CreatePatient.example, first(json.examples)]) {
      for (const hidden of ['medicalId', 'bloodGroup', 'allergies', 'chronicConditions', 'notes'])
        expect(example).not.toHaveProperty(hidden);
      const created = await send('POST', '/api/v1/patients', 'application/json', JSON.stringify(example));
      const { id } = (await created.json()) as { id: string };
      expect([created.status, id]).toEqual([201, expect.any(String)]);
      for (const [method, body] of [
        ['PUT', example],
        ['PATCH', schemas.ChangedFields.example],
      ]) {
        const changed = await send(
          method,
          `/api/v1/patients/${id}`,
          'application/json',
          JSON.stringify(body),
        );
        expect([method, changed.status]).toEqual([method, 200]);
        await changed.body?.cancel();
      }
    }
  });

  it('import as they are, in every media type', async () => {
    const content = contentOf('/api/v1/imports', 'post');
    expect(Object.keys(content).sort()).toEqual([...STREAMED_TYPES].sort());
    expect(content['multipart/form-data'].schema.properties).toHaveProperty('file');
    expect(JSON.stringify(document)).not.toContain('x-body-content');
    for (const [type, { examples }] of Object.entries<any>(content)) {
      const form = new FormData();
      form.append('file', new Blob([first(content['text/csv'].examples)]), 'patients.csv');
      const [sentAs, body] = type === 'multipart/form-data' ? ['', form] : [type, first(examples)];
      const accepted = await send('POST', `/api/v1/imports?source=${type.replace(/\W/g, '-')}`, sentAs, body);
      const { id } = (await accepted.json()) as { id: string };
      expect([type, accepted.status]).toEqual([type, 202]);
      const run = await until(
        async () => {
          const answer = await fetch(`${node.url}/api/v1/imports/${id}`, {
            headers: { authorization: `Bearer ${token}` },
          });
          const found = (await answer.json()) as any;
          return found.state === 'done' ? found : undefined;
        },
        { what: `the import as ${type}` },
      );
      expect([type, run.total, run.failed, run.errors]).toEqual([type, 1, 0, []]);
    }
  });
});

it('no route answers rubbish with a 500', async () => {
  const rubbish = [
    '',
    '{',
    '[]',
    'null',
    '{"__proto__": 1}',
    '{"a": 1, "a": 1}',
    '{"rubbish": "\\u0000"}',
    '{"rubbish": 1}',
  ];
  const failures: string[] = [];
  // A logout would have every later route answer 401.
  const routes = operations().filter(({ path }) => !path.endsWith('/auth/logout'));
  for (const { name, method, path } of routes) {
    for (const id of ['019300aa-0000-7000-8000-000000000000', 'rubbish', '%00']) {
      for (const body of method === 'GET' || method === 'DELETE' ? [undefined] : rubbish) {
        const query = body === undefined ? '?rubbish=%00' : '';
        const response = await fetch(`${node.url}${path.replace(/\{\w+\}/g, id)}${query}`, {
          method,
          body,
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            'x-request-id': name.replace(/ /g, '-'),
          },
          signal: AbortSignal.timeout(5_000),
        });
        const type = response.headers.get('content-type') ?? '';
        if (response.status >= 500 && response.status !== 503)
          failures.push(`${name} ${body}: ${response.status}`);
        if (response.status >= 400 && !type.startsWith('application/problem+json'))
          failures.push(`${name} ${body}: ${type}`);
        await response.body?.cancel();
      }
    }
  }
  expect(failures).toEqual([]);
});

it('no route ignores a query parameter that it does not know', async () => {
  const ignoring: string[] = [];
  for (const { name, method, path } of operations()) {
    if (path.endsWith('/auth/logout')) continue;
    const url = `${node.url}${path.replace(/\{\w+\}/g, '019300aa-0000-7000-8000-000000000000')}?unheard-of=1`;
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(method === 'GET' ? {} : { body: '{}' }),
    });
    const problem = (await response.json()) as any;
    const named = (problem.errors ?? []).some((error: any) => error.path === 'unheard-of');
    if (response.status !== 400 || !named) ignoring.push(`${name}: ${response.status}`);
  }
  // It takes no JSON.
  expect(ignoring).toEqual(['POST /api/v1/imports: 415']);
});
