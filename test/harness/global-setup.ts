import Module from 'node:module';
import { pathToFileURL } from 'node:url';
import type { TestCluster } from './test-cluster.js';

const THREADS = new URL('threads/register.mjs', pathToFileURL(__filename)).href;

declare global {
  var medlinkTestCluster: TestCluster | undefined;
}

export default async function setUp(): Promise<void> {
  resolveTypeScript();
  const { startTestCluster } = await import('./test-cluster.js');
  globalThis.medlinkTestCluster = await startTestCluster();
  process.env.MEDLINK_TEST_CLUSTER_URL = globalThis.medlinkTestCluster.url;
  // For the threads that the product starts.
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import ${THREADS}`;
}

/**
 * Jest loads its global set-up through `require` and outside its module map. This does there what the map
 * does for the tests: './x.js' in a relative import may be the file ./x.ts.
 */
function resolveTypeScript(): void {
  const internals = Module as unknown as {
    _resolveFilename: (request: string, ...rest: unknown[]) => string;
  };
  const original = internals._resolveFilename;
  internals._resolveFilename = (request, ...rest) => {
    try {
      return original.call(Module, request, ...rest);
    } catch (error) {
      if (!/^\.{1,2}\/.*\.js$/.test(request)) throw error;
      return original.call(Module, request.replace(/\.js$/, '.ts'), ...rest);
    }
  };
}
