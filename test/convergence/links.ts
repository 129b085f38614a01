import { applyDelivery } from '../../src/apply/apply-delivery.js';
import { codeOf, failureKind } from '../../src/apply/failure.js';
import { staleLanes } from '../../src/apply/stale-lanes.js';
import { openClient, type OwnClient } from '../../src/databases/own-client.js';
import type { Delivery } from '../../src/journal/delivery.js';
import { CentralSession } from '../../src/relay/central-session.js';
import { DeliveryReader, type DownCursor } from '../../src/relay/delivery-reader.js';
import { DownlinkState } from '../../src/relay/downlink-state.js';
import { JournalReader } from '../../src/relay/journal-reader.js';
import { Reception } from '../../src/relay/reception.js';
import { type Cut, cutAt } from './cut.js';
import type { ConvergenceNode } from './world.js';

const ANSWER_MS = 10_000;

/** What a relay waits out: see `isWaitedOut`. */
export type StepOutcome = 'moved' | 'nothing' | 'failed';

/** Codes of what is lost, or given way to, and tried again by whoever meets it. */
const WAITED_OUT = ['CUT', '40P01', '40001', '55P03', '57014', 'CURSOR_MOVED', 'LARGE_SET_REFUSED'];

/** Whether an error is one that the relay tries again after, with new sessions. Any other is a finding. */
export function isWaitedOut(error: unknown): boolean {
  return WAITED_OUT.includes(codeOf(error));
}

interface UpLine {
  readonly home: OwnClient;
  readonly central: CentralSession;
  readonly reader: JournalReader;
}

/** Carries a region's journal up, a step at a time, with what the product's uplink is made of. */
export class UpLink {
  private line: UpLine | undefined;
  private readonly refused = new Map() as Parameters<typeof CentralSession.open>[1];

  constructor(
    private readonly region: ConvergenceNode,
    private readonly central: ConvergenceNode,
  ) {}

  /** Carries about `limit` entries; all of a change set that is larger. */
  async step(limit: number, cut?: Cut): Promise<StepOutcome> {
    try {
      const { central, reader } = (this.line ??= await this.open());
      const callOff = cut && cutAt((central as unknown as { own: OwnClient }).own, cut);
      for (;;) {
        const chunk = await reader.next(limit);
        if (typeof chunk === 'string') return 'nothing';
        await central.deliver(chunk);
        if (!chunk.closed) continue;
        callOff?.();
        return 'moved';
      }
    } catch (error) {
      this.close();
      if (!isWaitedOut(error)) throw error;
      return 'failed';
    }
  }

  /** The next step begins with new sessions, and asks central where it stands. */
  close(): void {
    this.line?.home.close();
    this.line?.central.close();
    this.line = undefined;
  }

  private async open(): Promise<UpLine> {
    const { code } = this.region;
    const central = await CentralSession.open(this.central.source, this.refused, `relay ${code}`);
    await central.ask(`SET lock_timeout = '250ms'`);
    while (!(await central.lead(code)));
    await central.ask(
      `INSERT INTO replication_cursors (origin, incarnation, seq, applied_at) VALUES ($1, 1, 0, now())
       ON CONFLICT DO NOTHING`,
      [code],
    );
    const [cursor] = await central.ask<{ seq: string }>(
      'SELECT seq FROM replication_cursors WHERE origin = $1',
      [code],
    );
    const home = await openClient(this.region.source, ANSWER_MS);
    const reader = new JournalReader(home.client, {
      origin: code,
      incarnation: 1,
      seq: Number(cursor!.seq),
    });
    return { home, central, reader };
  }
}

interface DownLine {
  readonly home: OwnClient;
  readonly central: OwnClient;
  readonly reader: DeliveryReader;
}

/** Brings a region what central has for it, a step at a time, with what the product's downlink is made of. */
export class DownLink {
  /** Whether this region's database has ever not taken what came. */
  hasRefetched = false;
  private line: DownLine | undefined;

  constructor(
    private readonly region: ConvergenceNode,
    private readonly central: ConvergenceNode,
    private readonly alter: (delivery: Delivery) => Delivery = (delivery) => delivery,
  ) {}

  /** Brings about `limit` entries, or looks once for all that there is when some file has to be fetched anew. */
  async step(limit: number, cut?: Cut): Promise<StepOutcome> {
    try {
      const { home, reader } = (this.line ??= await this.open());
      if ((await staleLanes(home.client)).size > 0) return await this.receive();
      const delivery = await reader.next(limit);
      if (!delivery) return 'nothing';
      await this.apply(home, this.alter(delivery), cut);
      return 'moved';
    } catch (error) {
      this.close();
      if (isWaitedOut(error)) return 'failed';
      if (failureKind(error) === 'permanent') return this.receive();
      throw error;
    }
  }

  /** One look of the product's own reception, which finds its way round what this database refuses. */
  async receive(): Promise<StepOutcome> {
    this.hasRefetched = true;
    this.close();
    const once = new AbortController();
    const { home, central } = (this.line = await this.open());
    const mayGoOn = () => {
      once.abort();
      return true;
    };
    let outcome: StepOutcome = 'nothing';
    const progressed = () => {
      outcome = 'moved';
    };
    const { code: region } = this.region;
    const parts = { region, tables: this.region.tables, state: new DownlinkState(), mayGoOn, progressed };
    try {
      await new Reception(home.client, central.client, parts, once.signal).run();
      return outcome;
    } catch (error) {
      if (!isWaitedOut(error)) throw error;
      return 'failed';
    } finally {
      this.close();
    }
  }

  close(): void {
    this.line?.home.close();
    this.line?.central.close();
    this.line = undefined;
  }

  private async apply(home: OwnClient, delivery: Delivery, cut: Cut | undefined): Promise<void> {
    const callOff = cut && cutAt(home, cut);
    await home.client.query('BEGIN');
    await applyDelivery(home.client, this.region.tables, delivery);
    await home.client.query('COMMIT');
    callOff?.();
  }

  private async open(): Promise<DownLine> {
    const home = await openClient(this.region.source, ANSWER_MS);
    const central = await openClient(this.central.source, ANSWER_MS);
    const cursor = await this.cursor(home);
    const reader = new DeliveryReader(central.client, this.central.tables, this.region.code, cursor);
    return { home, central, reader };
  }

  private async cursor({ client }: OwnClient): Promise<DownCursor> {
    await client.query(
      `INSERT INTO replication_cursors (origin, incarnation, seq, applied_at) VALUES ('central', 1, 0, now())
       ON CONFLICT DO NOTHING`,
    );
    const { rows } = await client.query<{ seq: string }>(
      `SELECT seq FROM replication_cursors WHERE origin = 'central'`,
    );
    return { incarnation: 1, seq: Number(rows[0]!.seq) };
  }
}
