/** What was removed of a journal so far. */
export interface RetentionRecord {
  /** Entries. */
  readonly removed: number;
  /** How many of them were made outside the application. */
  readonly removedOutside: number;
  readonly removedAt: Date | null;
  /** The journal is whole from here on; of what is older, some is gone. `null`: nothing was ever removed. */
  readonly since: Date | null;
  /** Something that is old enough stays, because a peer does not have it yet. */
  readonly heldBack: boolean;
}

/** Of the database behind `ask`, where `months` whole months are kept; `undefined`: all. */
export async function readRetention(
  ask: (sql: string, values: unknown[]) => Promise<RetentionRecord[]>,
  months: number | undefined,
): Promise<RetentionRecord> {
  const [record] = await ask(
    `SELECT removed::float AS removed, removed_outside::float AS "removedOutside", removed_at AS "removedAt", since,
            coalesce((SELECT j.at FROM journal j WHERE j.seq > journal_confirmed() ORDER BY j.seq LIMIT 1)
                     < journal_kept_since($1), false) AS "heldBack"
     FROM journal_retention`,
    [months ?? null],
  );
  return record!;
}
