import type { AlertCode } from './alert-codes.js';

export interface RaisedAlert {
  readonly code: AlertCode;
  /** What it is about: the same code and subject again only adds to the count. Never a patient's value. */
  readonly subject: string;
  readonly count: number;
}

type Query = (sql: string, values: unknown[]) => Promise<unknown>;

/** Raises an alert, or adds to the one that nobody has acknowledged yet: a burst is one alert with a count. */
export async function raiseAlert(query: Query, { code, subject, count }: RaisedAlert): Promise<void> {
  await query(
    `INSERT INTO alerts (code, subject, count) VALUES ($1, $2, $3)
     ON CONFLICT (code, subject) WHERE acknowledged_at IS NULL
     DO UPDATE SET count = alerts.count + excluded.count, last_at = clock_timestamp()`,
    [code, subject, count],
  );
}
