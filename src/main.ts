import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { refuseWeakProductionSecrets } from './accounts/tokens/production-secrets.js';
import { createApp } from './app.js';
import { type Config, ConfigError, loadConfig } from './config/config.js';
import { startDatabases, type StartedDatabases } from './databases/embedded-databases.js';
import { createLogger } from './observability/logger.js';

/** From sysexits.h: the configuration is wrong, starting again will not help. */
const EXIT_CONFIG = 78;
const EXIT_FAILED = 1;
/** A node that has not stopped by then is ended; whatever was answered is committed. */
const STOP_TIMEOUT_MS = 9_500;

/** One running node, and what is left to stop when only a part of it has started. */
class NodeProcess {
  private databases: StartedDatabases | undefined;
  private app: NestFastifyApplication | undefined;
  private stopping = false;

  constructor(
    private readonly config: Config,
    private readonly logger: Logger,
  ) {}

  async start(): Promise<void> {
    this.databases = await startDatabases(this.config, this.logger);
    if (this.stopping) return;
    this.app = await createApp(this.config, this.databases.urls, this.logger);
    if (this.stopping) return;
    await this.app.listen(this.config.port, '0.0.0.0');
    this.announce(await this.app.getUrl());
  }

  /** Lets the running requests end, then closes the connections, then stops the databases. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.app?.close();
    await this.databases?.stop();
  }

  private announce(url: string): void {
    const root = url.replace('0.0.0.0', 'localhost').replace('[::1]', 'localhost');
    process.stdout.write(`MedLink: API ${root}/api/v1 · Swagger UI ${root}/docs\n`);
  }
}

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  refuseWeakProductionSecrets(config);
  const logger = createLogger(config);
  const node = new NodeProcess(config, logger);
  const started = node.start();
  let ending: Promise<void> | undefined;

  const end = (code: number) => (ending ??= stopAndExit(node, started, code));
  const fail = (error: unknown) => {
    logger.fatal({ err: error }, 'The node cannot go on');
    end(EXIT_FAILED).catch(exitAtOnce);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      logger.info(`${signal}: stopping`);
      end(0).catch(exitAtOnce);
    });
  }
  process.on('unhandledRejection', fail);
  process.on('uncaughtException', fail);
  try {
    await started;
  } catch (error) {
    tell(error);
    await end(EXIT_FAILED);
  }
}

async function stopAndExit(node: NodeProcess, started: Promise<void>, code: number): Promise<void> {
  setTimeout(() => {
    exitAtOnce(new Error(`The node did not stop within ${STOP_TIMEOUT_MS / 1000} s`));
  }, STOP_TIMEOUT_MS).unref();
  // A start that fails is told by main; here it only has to be over.
  const [start] = await Promise.allSettled([started]);
  await node.stop();
  process.exit(start.status === 'rejected' ? EXIT_FAILED : code);
}

/** For the person at the terminal: what is wrong and what to do, without a stack. */
function tell(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
}

function exitAtOnce(error: unknown): void {
  tell(error);
  process.exit(error instanceof ConfigError ? EXIT_CONFIG : EXIT_FAILED);
}

main().catch(exitAtOnce);
