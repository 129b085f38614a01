import { createLogger } from '../../src/observability/logger.js';
import { NestLogger } from '../../src/observability/nest-logger.js';

function capture() {
  const lines: any[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line));
  const logger = createLogger({ logLevel: 'info', production: true, region: 'DKR' }, { write });
  return { logger, lines };
}

const fault = () => new SyntaxError('Unexpected token in Canari');

it('takes no error for a text, in whatever way it is logged', () => {
  const { logger, lines } = capture();
  logger.error(fault());
  logger.error({ err: fault() });
  logger.error({ err: fault(), route: '/patients' }, 'It could not be read');
  new NestLogger(logger).error(fault());
  new NestLogger(logger).error('It could not be read', fault().stack, 'Patients');
  expect(lines.map(({ msg }) => msg)).toEqual([
    'Error',
    'Error',
    'It could not be read',
    'Error',
    'It could not be read',
  ]);
  expect(lines[2]).toMatchObject({ route: '/patients', err: { type: 'SyntaxError' } });
  expect(lines[4]).toMatchObject({ context: 'Patients', stack: expect.any(Array) });
  expect(JSON.stringify(lines)).not.toContain('Canari');
});

it('writes no credential', () => {
  const { logger, lines } = capture();
  logger.info({ authorization: 'Bearer Canari', password: 'Canari', headers: { cookie: 'Canari' } }, 'seen');
  logger.info({ req: { method: 'GET', url: '/?q=Canari', headers: { authorization: 'Canari' } } }, 'seen');
  expect(lines).toHaveLength(2);
  expect(JSON.stringify(lines)).not.toContain('Canari');
});

it('writes what Nest says under its context, from the configured level on', () => {
  const { logger, lines } = capture();
  const nest = new NestLogger(logger);
  nest.log('started', 'Databases');
  nest.warn({ user: 'u1', msg: 'role changed' }, 'Accounts');
  nest.debug('not written', 'Databases');
  expect(lines).toEqual([
    expect.objectContaining({ level: 'info', region: 'DKR', context: 'Databases', msg: 'started' }),
    expect.objectContaining({ level: 'warn', context: 'Accounts', user: 'u1', msg: 'role changed' }),
  ]);
});
