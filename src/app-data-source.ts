import type { DataSource } from 'typeorm';
// Imported for what it brings: the entities and migrations of every module.
import './app.module.js';
import { loadConfig } from './config/config.js';
import { commandLineSource } from './databases/command-line-source.js';
import type { ConnectionName } from './routing/connection-names.js';

/** One of the application's connections, for the TypeORM command line. */
export function dataSourceOf(name: ConnectionName, env: NodeJS.ProcessEnv): Promise<DataSource> {
  return commandLineSource(name, loadConfig(env));
}
