import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveApplication, usualEnvironment, type TestApplication } from './application.js';
import type { ServedNode } from './served-node.js';

/** A node inside the test's own process: it starts in a fraction of a second, and cannot be killed. */
export class NodeInProcess implements ServedNode {
  private app: TestApplication['app'] | undefined;
  private address = '';

  private constructor(
    private readonly environment: Record<string, string>,
    private readonly dataDir: string,
  ) {}

  static async start(environment: Record<string, string>): Promise<NodeInProcess> {
    const dataDir = await mkdtemp(join(tmpdir(), 'medlink-data-'));
    const node = new NodeInProcess({ ...usualEnvironment(dataDir), ...environment }, dataDir);
    await node.restart();
    return node;
  }

  get url(): string {
    return this.address;
  }

  async stop(): Promise<void> {
    await this.app?.close();
    this.app = undefined;
  }

  async restart(): Promise<void> {
    const { app, url } = await serveApplication(this.environment);
    this.app = app;
    this.address = url;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}
