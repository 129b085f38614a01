import type { ClientBase } from 'pg';
import { positionHolders } from './read-page.js';

/**
 * How far a journal that many write at once is certain to be whole. Positions are drawn before the commit, so what is
 * below the highest one may still be on its way. Whoever has drawn one holds the sequence's lock until the
 * transaction ends: when all who held it at some moment have ended, nothing below what was drawn by then is
 * missing any more.
 */
export class Fence {
  private whole = 0;
  private pending: { readonly through: number; readonly holders: ReadonlySet<string> } | undefined;

  constructor(private readonly client: ClientBase) {}

  /** Looks again, and gives the last position that is certain. */
  async look(): Promise<number> {
    const drawn = await this.lastDrawn();
    const holders = await positionHolders(this.client);
    if (this.pending && !holders.some((holder) => this.pending!.holders.has(holder))) {
      this.whole = this.pending.through;
      this.pending = undefined;
    }
    if (holders.length === 0) this.whole = drawn;
    else this.pending ??= { through: drawn, holders: new Set(holders) };
    return this.whole;
  }

  private async lastDrawn(): Promise<number> {
    const { rows } = await this.client.query<{ last: string }>({
      name: 'relay-last-drawn',
      text: 'SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS last FROM journal_seq',
    });
    return Number(rows[0]!.last);
  }
}
