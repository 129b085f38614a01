import '../app.module.js';
import { stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { type DynamicModule, type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Logger, pino } from 'pino';
import { uuidv7 } from 'uuidv7';
import { type Config, ConfigError, loadConfig } from '../config/config.js';
import { type DatabaseUrls, DatabasesModule } from '../databases/databases.module.js';
import { startDatabases } from '../databases/embedded-databases.js';
import { describeFailure, ImportStoppedError } from '../imports/import-failure.js';
import { ImportRun } from '../imports/import-run.entity.js';
import { addRun, ImportRuns } from '../imports/import-runs.js';
import { DEFAULT_SOURCE, SOURCE_NAME } from '../imports/import.dto.js';
import { ImporterModule } from '../imports/importer.module.js';
import { Importer } from '../imports/importer.js';
import { formatOfName, type SourceFile } from '../imports/reading/source-file.js';
import { JournalModule } from '../journal/journal.module.js';
import { createLogger } from '../observability/logger.js';
import { NestLogger } from '../observability/nest-logger.js';
import { DataRouter } from '../routing/data-router.js';
import { ImportDisplay } from './import-display.js';

const USAGE = `Imports patients into this node's own database.

  npm run import -- FILE... [--source NAME]

FILE      FHIR R4 resources, one a line (.ndjson, .jsonl), or .csv; .gz when compressed
--source  names the system that the files come from, where they do not (default: ${DEFAULT_SOURCE})

The environment is that of "npm start". A node may be running; when none is, its databases are started
and stopped again. What is imported twice changes nothing.

Exit status: 0 every line is imported, known or of a kind that is not kept; 1 some lines had errors, which
are on standard error; 2 the import could not be done, or not to its end.
`;

const EXIT = { done: 0, someLinesFailed: 1, notDone: 2 } as const;

/** The arguments cannot be used. */
class UsageError extends Error {}

interface Command {
  readonly names: readonly string[];
  readonly files: readonly SourceFile[];
  readonly source: string;
}

/** What the import needs of the application: no HTTP, and no relay beside the node's own. */
@Module({})
class ImportCommandModule {
  static forNode(config: Config, urls: DatabaseUrls): DynamicModule {
    return {
      module: ImportCommandModule,
      imports: [DatabasesModule.forNode(config, urls), JournalModule, ImporterModule],
    };
  }
}

async function main(): Promise<number> {
  const command = await readCommand(process.argv.slice(2));
  if (!command) return EXIT.done;
  const config = loadConfig({ MEDLINK_LOG_LEVEL: 'warn', ...process.env });
  if (config.mode === 'central')
    throw new UsageError('Central has no patients of its own: import on a region’s node.');
  const logger = createLogger(config, pino.destination(2));
  const databases = await startDatabases(config, logger);
  try {
    const app = await openApplication(config, databases.urls, logger);
    try {
      return await importFiles(app, command);
    } finally {
      await app.close();
    }
  } finally {
    await databases.stop();
  }
}

async function readCommand(args: readonly string[]): Promise<Command | undefined> {
  const { values, positionals } = readArguments(args);
  if (values.help) {
    process.stdout.write(USAGE);
    return undefined;
  }
  const source = values.source ?? DEFAULT_SOURCE;
  if (!SOURCE_NAME.test(source)) throw new UsageError('--source must be 1 to 100 of A-Z a-z 0-9 . _ : / -');
  if (positionals.length === 0) throw new UsageError(`No file is named.\n\n${USAGE}`);
  return { names: positionals, files: await Promise.all(positionals.map(sourceFile)), source };
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { source: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${USAGE}`, { cause: error });
  }
}

async function sourceFile(path: string): Promise<SourceFile> {
  const format = formatOfName(path);
  if (!format)
    throw new UsageError(`${path} is not named .ndjson, .jsonl or .csv (with .gz when compressed).`);
  const found = await stat(path).catch((error: unknown) => {
    throw new UsageError(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  });
  if (!found.isFile()) throw new UsageError(`${path} is not a file.`);
  return { path, format, size: found.size };
}

function openApplication(
  config: Config,
  urls: DatabaseUrls,
  logger: Logger,
): Promise<INestApplicationContext> {
  return NestFactory.createApplicationContext(ImportCommandModule.forNode(config, urls), {
    abortOnError: false,
    logger: new NestLogger(logger),
  });
}

async function importFiles(app: INestApplicationContext, { names, files, source }: Command): Promise<number> {
  const runs = app.get(ImportRuns);
  const importId = uuidv7();
  const actor = `import:${userInfo().username}`;
  const context = { actor, actorName: userInfo().username, reason: `Import ${importId}` };
  const display = new ImportDisplay(names, process.stdout, process.stderr);
  await app
    .get(DataRouter)
    .transaction(ImportRun, context, (manager) =>
      addRun(manager, { id: importId, files, runner: 'command', actor }),
    );
  await runs.start(importId);
  try {
    const { counts } = await app.get(Importer).run({
      ...{ importId, files, source, context, signal: stopSignal() },
      onProgress: (progress, findings) => display.show(progress, findings),
    });
    await runs.finish(importId);
    display.end(counts);
    return counts.failed > 0 ? EXIT.someLinesFailed : EXIT.done;
  } catch (error) {
    const { message, isExpected } = describeFailure(error);
    display.fail(message);
    await runs.fail(importId, message);
    if (!isExpected) throw error;
    return EXIT.notDone;
  }
}

/** The first Ctrl-C ends the import after the batch that is under way, the second at once. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stopping.abort(new ImportStoppedError()));
  return stopping.signal;
}

function tell(error: unknown): number {
  const isForPeople = error instanceof UsageError || error instanceof ConfigError;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(isForPeople ? `${message}\n` : `The import failed: ${message}\n`);
  return EXIT.notDone;
}

process.exit(await main().catch(tell));
