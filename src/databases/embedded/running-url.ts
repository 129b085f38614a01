import { readState } from './cluster-state.js';
import { existingFolder } from './cluster-folder.js';
import { urlOf } from './server-identity.js';
import { readyServer } from './server-process.js';

/** The URL of the embedded cluster in `path`; `undefined` when its server does not run. */
export async function runningUrl(path: string): Promise<string | undefined> {
  const [folder, state] = [await existingFolder(path), await readState(`${path}.json`)];
  const server = folder && (await readyServer(folder));
  return server && state ? urlOf({ port: server.port, password: state.password }) : undefined;
}
