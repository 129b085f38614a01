import type { Random } from '../faults/random.js';
import type { Attempts } from './attempts.js';
import type { Cut } from './cut.js';
import { DownLink, UpLink } from './links.js';
import type { Sabotage } from './sabotage.js';
import type { ConvergenceNode, ConvergenceWorld } from './world.js';

interface Links {
  readonly up: UpLink;
  readonly down: DownLink;
  /** Steps that they let go by. */
  pausedFor: number;
}

const LIMITS = [1, 2, 3, 5, 8, 500];

/** The links of all regions. */
export class Exchange {
  private readonly links: ReadonlyMap<ConvergenceNode, Links>;

  constructor(
    { regions, central }: ConvergenceWorld,
    private readonly attempts: Attempts,
    private readonly random: Random,
    { alterDelivery }: Sabotage,
  ) {
    this.links = new Map(
      regions.map((region) => {
        const down = new DownLink(region, central, alterDelivery);
        return [region, { up: new UpLink(region, central), down, pausedFor: 0 }];
      }),
    );
  }

  /** Regions that have fetched whole files anew. */
  get refetching(): Set<string> {
    return new Set([...this.links].flatMap(([{ code }, { down }]) => (down.hasRefetched ? code : [])));
  }

  /** A step of some size, which may be cut anywhere. */
  async move(region: ConvergenceNode, direction: 'up' | 'down'): Promise<void> {
    const links = this.links.get(region)!;
    if (links.pausedFor-- > 0) return;
    const limit = this.random.pick(LIMITS);
    const cut: Cut | undefined = this.random.chance(0.12)
      ? { nth: this.random.between(1, 14), when: this.random.pick(['before', 'after']) }
      : undefined;
    await this.attempts.alone(links[direction], async () => {
      this.attempts.count(direction, await links[direction].step(limit, cut));
    });
  }

  pause(region: ConvergenceNode): void {
    this.links.get(region)!.pausedFor = this.random.between(2, 12);
  }

  /** A step of each link, all at once. */
  async rush(): Promise<void> {
    const regions = [...this.links.keys()];
    await Promise.all(regions.flatMap((region) => [this.move(region, 'up'), this.move(region, 'down')]));
  }

  /** A large step of each link. */
  async moveAll(isParallel: boolean): Promise<void> {
    const steps = [...this.links.values()].flatMap(({ up, down }) => [
      () => up.step(50),
      () => down.step(50),
    ]);
    if (isParallel) await Promise.all(steps.map((step) => step()));
    else for (const step of steps) await step();
  }

  /** As the product itself receives, which also looks for identities that two records share. */
  async receiveAll(): Promise<void> {
    for (const { down } of this.links.values()) await down.receive();
  }

  close(): void {
    for (const { up, down } of this.links.values()) {
      up.close();
      down.close();
    }
  }
}
