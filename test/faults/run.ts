import { setTimeout as pause } from 'node:timers/promises';
import { call } from '../accounts/api.js';
import type { ServedNode } from '../harness/served-node.js';
import { within } from '../harness/within.js';
import { Book } from './book.js';
import { type Fault, workGoesOn } from './injected/fault.js';
import { conclude } from './invariants/conclude.js';
import { listed, type Verdict } from './invariants/judge.js';
import { Observer } from './observer.js';
import { Random } from './random.js';
import { POISON } from './workload/edits.js';
import { type Staff, Workload } from './workload/workload.js';
import { type Region, withSession, type World } from './world.js';

/** What a run is made of. The rest is decided by its seed. */
export interface RunPlan<Node extends ServedNode> {
  readonly createWorld: () => Promise<World<Node>>;
  readonly faults: Readonly<Record<string, Fault<Node>>>;
  /** How many faults, one after the other in each region. */
  readonly count: number;
  /** Longest duration of one, in milliseconds. */
  readonly longestMs: number;
  readonly staff?: Partial<Staff>;
}

export interface RunReport {
  readonly seed: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  readonly faults: readonly string[];
  /** Entries that waited when all was healed, and how long they took. */
  readonly drained: { readonly backlog: number; readonly ms: number };
  readonly verdict: Verdict;
}

const STAFF: Staff = { clinicians: 4, databaseUsers: 2, restMs: 10, poison: 0, impatience: 0.03 };

/** One run: people at work while things break; then all is healed, the queues run empty, and everything is compared. */
export async function runSeed<Node extends ServedNode>(
  seed: number,
  plan: RunPlan<Node>,
): Promise<RunReport> {
  const random = new Random(seed);
  const world = await plan.createWorld();
  try {
    return await new Run(seed, random, world, plan).report();
  } finally {
    await within(60_000, 'all is removed', world.remove());
  }
}

class Run<Node extends ServedNode> {
  private readonly book: Book;
  private readonly faults: string[] = [];
  private readonly failures: string[] = [];

  constructor(
    private readonly seed: number,
    private readonly random: Random,
    private readonly world: World<Node>,
    private readonly plan: RunPlan<Node>,
  ) {
    this.book = new Book(`w${seed}`);
  }

  async report(): Promise<RunReport> {
    const { book, world, random } = this;
    const isPoisonous = random.fork('poison').chance(0.5);
    if (isPoisonous) await refusePoison(world.centralUrl);
    const seen = await this.whileObserved(() => this.peopleAtWork(isPoisonous));
    const { verdict, drained } = await conclude(world, book);
    const cured = isPoisonous && random.fork('cure').chance(0.5) ? await this.cure() : {};
    return {
      seed: this.seed,
      acknowledged: book.countOf('acknowledged'),
      refused: book.countOf('refused'),
      unknown: book.countOf('unknown'),
      faults: this.faults,
      drained,
      verdict: {
        ...verdict,
        ...cured,
        ...listed('what was seen of central while it ran', seen),
        ...listed('the region works on', this.failures),
      },
    };
  }

  private async whileObserved(work: () => Promise<void>): Promise<string[]> {
    const observer = new Observer(this.world.centralUrl);
    await work().finally(() => observer.stop());
    return observer.stop();
  }

  /** They work while things break, and until all is healed and everyone has seen it. */
  private async peopleAtWork(isPoisonous: boolean): Promise<void> {
    const { world, book, random } = this;
    const staff = { ...STAFF, ...this.plan.staff, ...(isPoisonous && { poison: 0.08 }) };
    const workload = new Workload(book, world.regions, random.fork('workload'), staff);
    try {
      await this.breakThings();
      await world.heal();
      await this.everyoneWorksAgain();
    } finally {
      await within(60_000, 'everybody has ended what they were at', workload.stop());
    }
  }

  private async breakThings(): Promise<void> {
    await pause(150);
    await Promise.all(
      this.world.regions.map(async (region) => {
        const random = this.random.fork(`faults of ${region.code}`);
        for (let nth = 0; nth < this.plan.count; nth++) {
          const name = random.pick(Object.keys(this.plan.faults));
          const lastsMs = random.between(20, this.plan.longestMs);
          this.faults.push(name);
          const scene = { world: this.world, book: this.book, region, random, lastsMs };
          await this.attempt(name, () => this.plan.faults[name]!(scene));
          await pause(random.between(0, 200));
        }
      }),
    );
  }

  private async everyoneWorksAgain(): Promise<void> {
    const { world, book, random } = this;
    for (const region of world.regions)
      await this.attempt('all is healed', () => workGoesOn({ world, region, book, random, lastsMs: 0 }));
  }

  private async attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await within(60_000, 'it is over', work());
    } catch (error) {
      this.failures.push(`${what}: ${(error as Error).message}`);
    }
  }

  /** What central refused is accepted after all, and an administrator has it tried again: then all must be equal. */
  private async cure(): Promise<Verdict> {
    await acceptPoison(this.world.centralUrl);
    const stuck: string[] = [];
    for (const region of this.world.regions) stuck.push(...(await retryAll(region)));
    const { verdict } = await conclude(this.world, this.book);
    const after = Object.entries(verdict).map(([name, found]) => [`${name}, after the cure`, found] as const);
    return { ...listed('what was refused can be retried', stuck), ...Object.fromEntries(after) };
  }
}

/** Retries one lane after the other. Gives what stays where it is. */
async function retryAll({ node, administrator: { token } }: Region): Promise<string[]> {
  const held = async () => (await call(node.url, 'GET /sync/quarantine?limit=1&total=true', { token })).body;
  for (let { items, total } = await held(); total > 0;) {
    const [{ id, entityId }] = items;
    const answer = await call(node.url, `POST /sync/quarantine/${id}/retry`, {
      token,
      body: { reason: 'central accepts it now' },
    });
    const left = await held();
    if (left.total >= total) return [`${entityId}: ${answer.status} ${JSON.stringify(answer.body)}`];
    ({ items, total } = left);
  }
  return [];
}

export async function refusePoison(centralUrl: string): Promise<void> {
  await withSession(centralUrl, (session) =>
    session.query(`ALTER TABLE patients ADD CONSTRAINT no_poison CHECK (notes NOT LIKE '${POISON}%')`),
  );
}

export async function acceptPoison(centralUrl: string): Promise<void> {
  await withSession(centralUrl, (session) => session.query('ALTER TABLE patients DROP CONSTRAINT no_poison'));
}
