import { types } from 'node:util';
import { destination, type DestinationStream, type LogFn, type Logger, pino, stdTimeFunctions } from 'pino';
import { build as prettyStream } from 'pino-pretty';
import type { Config } from '../config/config.js';
import { describeError } from './describe-error.js';

/** Never written, should somebody log them. Wildcards would say more, and halve the requests that a node can log. */
const SECRETS = ['authorization', 'cookie', 'password', 'accessToken', 'refreshToken', 'token', 'secret'];

type LogConfig = Pick<Config, 'logLevel' | 'production' | 'region'>;

/**
 * The process's one logger: JSON lines, or text where a developer watches. Nothing that it writes may
 * hold a patient's data: errors lose their values ({@link describeError}), requests and answers are
 * reduced to their method and status, and no URL, header or body is written.
 */
export function createLogger(config: LogConfig, stream: DestinationStream = outputFor(config)): Logger {
  return pino(
    {
      level: config.logLevel,
      base: { region: config.region },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      redact: {
        paths: SECRETS.flatMap((name) => [name, `headers.${name}`, `body.${name}`]),
        censor: '[redacted]',
      },
      hooks: { logMethod: withOwnText },
      serializers: {
        err: describeError,
        error: describeError,
        req: ({ method }: { method?: string }) => ({ method }),
        res: ({ statusCode }: { statusCode?: number }) => ({ status: statusCode }),
      },
    },
    stream,
  );
}

/** Without a text, pino would take the error's message for one: the text that {@link describeError} may have left out. */
function withOwnText(this: Logger, args: Parameters<LogFn>, write: LogFn): void {
  const [entry, text] = args as [unknown, unknown];
  const error = types.isNativeError(entry) ? entry : (entry as { err?: unknown } | null)?.err;
  if (error === undefined || text !== undefined) write.apply(this, args);
  else write.call(this, types.isNativeError(entry) ? { err: entry } : entry, 'Error');
}

function outputFor({ production }: LogConfig): DestinationStream {
  if (process.stdout.isTTY && !production)
    return prettyStream({ colorize: true, ignore: 'region', sync: true });
  // At once: in order with what is printed, and nothing lost when the process dies.
  return destination({ fd: 1, sync: true });
}
