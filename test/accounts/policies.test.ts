import { Controller, Get, Logger } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { APP_GUARD, ModulesContainer } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { jest } from '@jest/globals';
import { AccessGuard } from '../../src/accounts/access.guard.js';
import { Allow, Public, REQUIRED_PERMISSIONS } from '../../src/accounts/allow.decorator.js';
import { JwtStrategy } from '../../src/accounts/tokens/jwt.strategy.js';
import { PUBLIC_ROUTE } from '../../src/http/policy.js';
import { startApplication, type TestApplication } from '../harness/application.js';

/** All that anyone may ask without a token. A new line here needs a reason. */
const PUBLIC_ROUTES = [
  'POST /api/v1/auth/login',
  'POST /api/v1/auth/refresh',
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
];
const ANY_ID = '0193b1f2-7c4e-7d2a-9a51-3f0c5d8e6b21';

describe('the whole application', () => {
  let node: TestApplication;
  beforeAll(async () => {
    node = await startApplication();
  });
  afterAll(() => node.stop());

  test('every handler of every controller has a policy', () => {
    const handlers = handlersOf(node.app);
    expect(handlers.length).toBeGreaterThan(8);
    const undecided = handlers.filter(({ targets }) => !targets.some(hasPolicy)).map(({ name }) => name);
    expect(undecided).toEqual([]);
  });

  test('without a token every documented route is 401, but for those that must be public', async () => {
    const routes = await documentedRoutes(node.url);
    const open: string[] = [];
    for (const { method, path, name } of routes) {
      const { status } = await fetch(node.url + path, { method });
      if (status !== 401) open.push(name);
    }
    expect(open.filter((name) => !PUBLIC_ROUTES.includes(name))).toEqual([]);
    expect(routes.map(({ name }) => name)).toEqual(expect.arrayContaining(PUBLIC_ROUTES.slice(0, 2)));
  });

  test('every route that needs a token says so to the Swagger UI', async () => {
    const { paths } = (await (await fetch(`${node.url}/docs-json`)).json()) as Document;
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, { security }] of Object.entries(operations)) {
        const name = `${method.toUpperCase()} ${path}`;
        expect([name, (security?.length ?? 0) > 0]).toEqual([name, !PUBLIC_ROUTES.includes(name)]);
      }
    }
  });
});

describe('a route that nobody decided on', () => {
  @Controller()
  class UndecidedController {
    @Get('undecided')
    undecided() {
      return 'secret';
    }

    @Get('open')
    @Public()
    open() {
      return 'open';
    }
  }

  @Controller('open')
  @Public()
  class OpenController {
    @Get('closed')
    @Allow('users:read')
    closed() {
      return 'secret';
    }
  }

  let app: NestFastifyApplication;
  let url: string;
  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [PassportModule],
      controllers: [UndecidedController, OpenController],
      providers: [
        { provide: APP_GUARD, useClass: AccessGuard },
        // Nobody is signed in.
        { provide: JwtStrategy, useValue: { authenticate: refuse } },
      ],
    }).compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });
  afterAll(() => app.close());

  test('is refused to everybody, and the log names it', async () => {
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const answer = await fetch(`${url}/undecided`);
    expect(answer.status).toBe(403);
    expect(await answer.text()).not.toContain('secret');
    expect(log.mock.calls).toEqual([
      [expect.objectContaining({ event: 'route-without-policy', route: 'UndecidedController.undecided' })],
    ]);
    log.mockRestore();
  });

  test('unlike one that is public', async () => {
    expect(await (await fetch(`${url}/open`)).text()).toBe('open');
  });

  test('a handler that asks for a permission is not opened by its public controller', async () => {
    const answer = await fetch(`${url}/open/closed`);
    expect(answer.status).not.toBe(200);
    expect(await answer.text()).not.toContain('secret');
  });
});

function refuse(this: { fail(): void }): void {
  this.fail();
}

interface Document {
  paths: Record<string, Record<string, { security?: unknown[] }>>;
}

async function documentedRoutes(url: string) {
  const { paths } = (await (await fetch(`${url}/docs-json`)).json()) as Document;
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => ({
      method: method.toUpperCase(),
      path: path.replace(/\{\w+\}/g, ANY_ID),
      name: `${method.toUpperCase()} ${path}`,
    })),
  );
}

function handlersOf(app: NestFastifyApplication) {
  const controllers = [...app.get(ModulesContainer).values()].flatMap((module) => [
    ...module.controllers.values(),
  ]);
  return controllers.flatMap(({ metatype }) => {
    const controller = metatype as unknown as { name: string; prototype: Record<string, object> };
    return Object.getOwnPropertyNames(controller.prototype)
      .map((method) => ({ method, handler: controller.prototype[method]! }))
      .filter(({ handler }) => Reflect.hasMetadata(METHOD_METADATA, handler))
      .map(({ method, handler }) => ({
        name: `${controller.name}.${method}`,
        targets: [handler, controller],
      }));
  });
}

function hasPolicy(target: object): boolean {
  return Reflect.hasMetadata(PUBLIC_ROUTE, target) || Reflect.hasMetadata(REQUIRED_PERMISSIONS, target);
}
