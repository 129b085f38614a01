import type {} from './global-setup.js';

export default async function tearDown(): Promise<void> {
  await globalThis.medlinkTestCluster?.stop();
}
