/** Runs a query on a session of the application, and gives its rows. */
export type Ask = <T extends object>(sql: string, values?: unknown[]) => Promise<T[]>;
