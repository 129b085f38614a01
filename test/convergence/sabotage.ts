import pg from 'pg';
import type { Delivery } from '../../src/journal/delivery.js';
import { Fence } from '../../src/relay/fence.js';
import { JUDGE } from './people.js';
import type { ConvergenceWorld } from './world.js';

/** A way to break the product, to see that the judgement notices. */
export interface Sabotage {
  /** Done once, before the first run. */
  readonly prepare?: (world: ConvergenceWorld) => Promise<void>;
  /** What becomes of a delivery on its way. */
  readonly alterDelivery?: (delivery: Delivery) => Delivery;
  /** Copies are given without the patient's lane. */
  readonly addsHostsUnseen?: boolean;
  /** Done to the product's own code. Gives how to undo it. */
  readonly patch?: () => () => void;
}

/** One for each rule of the protocol. */
export const SABOTAGES: Readonly<Record<string, Sabotage>> = {
  'values that met are not told': atCentral(dropEntries(`NEW.op = 'merge' AND NEW.actor = 'medlink'`)),
  'what an update brought back is not told': atCentral(dropEntries(`NEW.op = 'restore'`)),
  'a discarded change is not answered': atCentral(dropEntries(`NEW.actor = '${JUDGE}'`)),
  'some entries are not delivered': atCentral([
    `CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$`,
    `CREATE TRIGGER sabotage BEFORE INSERT ON deliveries FOR EACH ROW WHEN (NEW.seq % 10 = 0)
     EXECUTE FUNCTION sabotage()`,
  ]),
  'own edits stay on top for ever': { alterDelivery: (delivery) => ({ ...delivery, incorporated: 0 }) },
  'own edits are overwritten by what comes': {
    alterDelivery: (delivery) => ({ ...delivery, incorporated: Number.MAX_SAFE_INTEGER }),
  },
  'who changes something is said to know all': { prepare: saidToKnowAll },
  'copies are given without the lane': { addsHostsUnseen: true },
  'the fence is not minded': { patch: withoutFence },
  'lanes are not locked': {
    patch: () =>
      replacingStatements([
        /^SELECT FROM hosts WHERE patient_id IN \(SELECT patient_id FROM incoming_entries\)/,
        /^WITH "locked \w+" AS MATERIALIZED/,
      ]),
  },
  'what is held does not hold up what comes later': {
    patch: () => replacingStatements([/^SELECT DISTINCT lane FROM quarantine/]),
    prepare: (world) =>
      run(world.central.look, [
        `CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN NEW.lane := gen_random_uuid(); RETURN NEW; END $$`,
        `CREATE TRIGGER sabotage BEFORE INSERT ON quarantine FOR EACH ROW EXECUTE FUNCTION sabotage()`,
      ]),
  },
  'a copy comes without its history': {
    alterDelivery: (delivery) => ({
      ...delivery,
      copies: delivery.copies.map((copy) => ({ ...copy, history: [] })),
    }),
  },
};

function atCentral(statements: readonly string[]): Sabotage {
  return { prepare: ({ central }) => run(central.look, statements) };
}

async function run(client: pg.Client, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await client.query(statement);
}

/** Entries of central's journal that are never written. */
function dropEntries(condition: string): string[] {
  return [
    `CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$`,
    `CREATE TRIGGER sabotage BEFORE INSERT ON journal FOR EACH ROW WHEN (${condition}) EXECUTE FUNCTION sabotage()`,
  ];
}

async function saidToKnowAll({ regions }: ConvergenceWorld): Promise<void> {
  for (const { code, look } of regions)
    await run(look, [
      `CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN NEW.knows := 1000000000; RETURN NEW; END $$`,
      `CREATE TRIGGER sabotage BEFORE INSERT ON journal FOR EACH ROW WHEN (NEW.origin = '${code}')
       EXECUTE FUNCTION sabotage()`,
    ]);
}

/** Everything that was drawn is taken for written. */
function withoutFence(): () => void {
  const prototype = Fence.prototype as unknown as {
    look: () => Promise<number>;
    lastDrawn: () => Promise<number>;
  };
  const { look } = prototype;
  prototype.look = function () {
    return this.lastDrawn();
  };
  return () => {
    prototype.look = look;
  };
}

/** Statements that begin so do nothing, whoever sends them. */
function replacingStatements(beginnings: readonly RegExp[]): () => void {
  const prototype = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown };
  const { query: send } = prototype;
  prototype.query = function (...args) {
    const [query] = args as [string | { text?: string }];
    const text = typeof query === 'string' ? query : query.text;
    const isMeant = text !== undefined && beginnings.some((beginning) => beginning.test(text));
    return send.apply(this, isMeant ? [`SELECT WHERE false`] : args);
  };
  return () => {
    prototype.query = send;
  };
}
