/** What the benchmark asks of the node that it measures, which runs in a process of its own. */
export interface Commands {
  /** Begins to send what has been waiting, and answers when central has it through `last`. */
  readonly catchUp: (last: number) => Promise<CatchUp>;
  /** As shipped (true), or writing the row alone: nothing is journaled and nothing is sent. */
  readonly setReplication: (on: boolean) => Promise<void>;
  /** Exchanges with central, or rests. */
  readonly setExchange: (on: boolean) => Promise<void>;
  /** Processor time of the node's process so far, in milliseconds. */
  readonly cpu: () => Promise<number>;
  /** Resident memory of the node's process, in bytes. */
  readonly memory: () => Promise<number>;
  readonly accessToken: () => Promise<string>;
}

export interface CatchUp {
  readonly ms: number;
  /** Processor time of the node's process, in milliseconds. */
  readonly cpu: number;
  /** Resident memory of the node's process, in bytes: idle before, the highest seen, and soon after. */
  readonly memory: { readonly before: number; readonly highest: number; readonly after: number };
}

export interface Request {
  readonly command: keyof Commands;
  readonly argument: unknown;
}

export type Answer = { readonly ready: string } | { readonly value: unknown } | { readonly error: string };
