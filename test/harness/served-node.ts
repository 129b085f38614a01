/** A node that serves, however it is run. */
export interface ServedNode {
  /** Like `http://127.0.0.1:41234`, without `/api/v1`. May change with a restart. */
  readonly url: string;
  /** Ends it as an operator would: what it has begun, it finishes. */
  stop(): Promise<void>;
  /** Starts it again on the same databases and data folder. Resolves when it is ready. */
  restart(): Promise<void>;
  /** Ends it, and removes its data folder. */
  remove(): Promise<void>;
}
