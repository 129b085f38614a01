import pg from 'pg';
import { uuidv7 } from 'uuidv7';
import { SnakeNamingStrategy } from '../../ormconfig/snake-naming-strategy.js';
import { BOOKKEEPING, draftPatient } from './draft-patient.js';

const naming = new SnakeNamingStrategy();
const columnOf = (property: string) => naming.columnName(property, '', []);

/** The same rows by one prepared INSERT, without HTTP and without MedLink: on one database, or on both. */
export class DirectInserts {
  private made = 0;

  private constructor(private readonly sessions: readonly (readonly pg.Client[])[]) {}

  /** `concurrency` sessions on each of `urls`. */
  static async open(urls: readonly string[], concurrency: number): Promise<DirectInserts> {
    const sessions = Array.from({ length: concurrency }, () => Promise.all(urls.map(openSession)));
    return new DirectInserts(await Promise.all(sessions));
  }

  /** Inserts one row in each database, one after the other, and waits for both. */
  async insert(loop: number): Promise<void> {
    const row = { ...BOOKKEEPING, ...draftPatient(this.made++), id: uuidv7(), medicalId: uuidv7() };
    const columns = Object.keys(row).map(columnOf).join(', ');
    const places = Object.keys(row).map((_, index) => `$${index + 1}`);
    const query = {
      name: 'insert-patient',
      text: `INSERT INTO patients (${columns}) VALUES (${places.join(', ')})`,
      values: Object.values(row),
    };
    for (const session of this.sessions[loop] ?? []) await session.query(query);
  }

  async close(): Promise<void> {
    await Promise.all(this.sessions.flat().map((session) => session.end()));
  }
}

/** Says, as the application does, that the database need not journal what this session writes. */
async function openSession(url: string): Promise<pg.Client> {
  const session = new pg.Client({ connectionString: url, options: '-c medlink.capture=app' });
  await session.connect();
  return session;
}
