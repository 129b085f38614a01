import { Random } from '../faults/random.js';
import { Attempts } from './attempts.js';
import { Crowd } from './crowd.js';
import { Exchange } from './exchange.js';
import { Ledger } from './ledger.js';
import { decideQuarantine } from './quarantine.js';
import type { Sabotage } from './sabotage.js';
import { settle } from './settle.js';
import { Values } from './values.js';
import { type ConvergenceNode, type ConvergenceWorld, setClock } from './world.js';

/** How often each thing happens in a run. */
const WEIGHTS = {
  create: 3,
  edit: 14,
  editSeveral: 4,
  remove: 2,
  copy: 5,
  editAtCentral: 5,
  editByPsql: 4,
  decide: 6,
  beginSlow: 2,
  endSlow: 3,
  refuse: 1,
  accept: 1,
  retry: 2,
  discard: 2,
  clock: 1,
  pause: 1,
  up: 18,
  down: 18,
  rush: 2,
} as const;

type Action = keyof typeof WEIGHTS;

/** One run: people, links and breakdowns, as a seed decides. The databases may have seen other runs before. */
export class Run {
  readonly ledger = new Ledger();
  readonly attempts = new Attempts();
  readonly exchange: Exchange;
  private readonly random: Random;
  private readonly crowd: Crowd;
  /** Whether things happen at once, several of them on sessions of their own. */
  private readonly isParallel: boolean;

  constructor(
    private readonly world: ConvergenceWorld,
    seed: number,
    sabotage: Sabotage = {},
  ) {
    this.random = new Random(seed);
    const values = new Values(this.random, seed.toString(36));
    this.isParallel = this.random.chance(0.4);
    this.exchange = new Exchange(world, this.attempts, this.random, sabotage);
    this.crowd = new Crowd(this.ledger, values, this.random, this.attempts, sabotage);
  }

  /** Lets things happen. `look` is called now and then. */
  async live(look: () => Promise<void>): Promise<void> {
    for (const node of [...this.world.regions, this.world.central]) await this.clock(node);
    for (let nth = 0; nth < 3; nth++) await this.perform('create');
    const ticks = this.random.between(25, 70);
    for (let tick = 0; tick < ticks; tick++) {
      const count = this.isParallel ? this.random.between(1, 4) : 1;
      const actions = Array.from({ length: count }, () => this.random.weighted(WEIGHTS));
      await Promise.all(actions.map((action) => this.perform(action)));
      if (this.random.chance(0.15)) await look();
    }
  }

  /** Heals everything, and waits until nothing is on its way. */
  async settle(): Promise<void> {
    const { world, exchange, crowd, attempts, random, isParallel } = this;
    await settle({ world, exchange, crowd, attempts, random, isParallel });
  }

  private async perform(action: Action): Promise<void> {
    const { crowd, exchange, random } = this;
    const { central, regions } = this.world;
    const region = random.pick(regions);
    const mostly = (share: number) => (random.chance(share) ? region : central);
    const performances: Record<Action, () => Promise<void> | void> = {
      create: () => crowd.create(region),
      edit: () => crowd.edit(region, 1),
      editSeveral: () => crowd.edit(region, random.between(2, 3)),
      remove: () => crowd.remove(mostly(0.8)),
      copy: () => crowd.copy(region, central),
      editAtCentral: () => crowd.edit(central, 1),
      editByPsql: () => crowd.editByPsql(mostly(0.6)),
      decide: () => crowd.decide(mostly(0.6)),
      beginSlow: () => crowd.beginSlow(mostly(0.5)),
      endSlow: () => crowd.endSlow(mostly(0.5)),
      refuse: () => this.refuse(),
      accept: () => this.accept(),
      retry: () => decideQuarantine('retry', central, this.attempts, random),
      discard: () => decideQuarantine('discard', central, this.attempts, random),
      clock: () => this.clock(region),
      pause: () => {
        exchange.pause(region);
      },
      up: () => exchange.move(region, 'up'),
      down: () => exchange.move(region, 'down'),
      rush: () => exchange.rush(),
    };
    await performances[action]();
  }

  private async refuse(): Promise<void> {
    const { patients } = this.ledger;
    if (patients.length === 0) return;
    await this.world.central.look.query('INSERT INTO refused_patients VALUES ($1) ON CONFLICT DO NOTHING', [
      this.random.pick(patients),
    ]);
  }

  private async accept(): Promise<void> {
    await this.world.central.look.query('DELETE FROM refused_patients');
  }

  private async clock(node: ConvergenceNode): Promise<void> {
    const hours = this.random.pick([0, 0, -2, 2, 30]);
    await setClock(node, { hours, isFrozen: this.random.chance(0.2) });
  }
}
