import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../src/databases/embedded/process-identity.js';
import { postmasterPid } from '../../src/databases/embedded/server-process.js';
import { compileProject, type CompiledProject } from '../harness/compiled.js';
import { type ScriptProcess, startScript } from '../harness/script-process.js';

describe('the program', () => {
  let project: CompiledProject;
  let dataDir: string;
  const processes: ScriptProcess[] = [];

  beforeAll(async () => {
    project = await compileProject();
    dataDir = await mkdtemp(join(tmpdir(), 'medlink-program-'));
  });

  afterEach(async () => {
    for (const program of processes.splice(0)) {
      program.kill('SIGTERM');
      await program.ended;
    }
  });

  afterAll(async () => {
    await rm(dataDir, { recursive: true, force: true });
    await project.remove();
  });

  function start(environment: Record<string, string> = {}): ScriptProcess {
    const usual = { PORT: '0', MEDLINK_DATA_DIR: dataDir, MEDLINK_LOG_LEVEL: 'warn' };
    const program = startScript([project.path('src/main.js')], { ...usual, ...environment });
    processes.push(program);
    return program;
  }

  async function apiOf(program: ScriptProcess): Promise<string> {
    const line = await program.printed('MedLink: API ');
    expect(line).toMatch(/API http:\S+\/api\/v1 · Swagger UI http:\S+\/docs$/);
    return /API (http:\S+)\/api\/v1/.exec(line)![1]!;
  }

  const servers = async () =>
    Promise.all(['regionale', 'default'].map((name) => postmasterPid(join(dataDir, name))));

  it('starts from nothing, says where it is, and stops with its servers when told to', async () => {
    const program = start();
    const url = await apiOf(program);

    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const pids = await servers();
    expect(pids.every((pid) => isAlive(pid!))).toBe(true);

    program.kill('SIGTERM');
    expect(await program.ended).toBe(0);
    expect(pids.some((pid) => isAlive(pid!))).toBe(false);
  });

  it('goes on with the servers that a kill -9 left behind', async () => {
    const killed = start();
    await apiOf(killed);
    const pids = await servers();
    killed.kill('SIGKILL');
    await killed.ended;

    const heir = start();

    expect((await fetch(`${await apiOf(heir)}/health/ready`)).status).toBe(200);
    expect(await servers()).toEqual(pids);
  });

  it('told to stop while it starts leaves no server behind', async () => {
    const program = start({ MEDLINK_LOG_LEVEL: 'info' });
    await program.printed('Starting Nest application');

    program.kill('SIGTERM');

    expect(await program.ended).toBe(0);
    expect(await servers()).toEqual([undefined, undefined]);
  });

  it('names every bad variable and exits with 78', async () => {
    const program = start({ PORT: 'http', MEDLINK_REGION: 'dakar' });

    expect(await program.ended).toBe(78);
    expect(program.output()).toContain('PORT');
    expect(program.output()).toContain('MEDLINK_REGION');
  });

  it('says why it cannot start, without a stack and without the password', async () => {
    const program = start({
      MEDLINK_DATA_DIR: join(dataDir, 'elsewhere'),
      DATABASE_REGIONALE_URL: 'postgresql://clinic:a-secret@127.0.0.1:1/clinic',
      DATABASE_DEFAULT_URL: 'postgresql://127.0.0.1:1/central',
    });

    expect(await program.ended).toBe(1);
    expect(program.output()).toContain('127.0.0.1:1/clinic) cannot be reached');
    expect(program.output()).not.toMatch(/a-secret|\n\s+at /);
    await expect(stat(join(dataDir, 'elsewhere', 'regionale'))).rejects.toThrow('ENOENT');
  });
});
