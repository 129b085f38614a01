import { format } from 'prettier';
import { SQL_STATES } from '../../src/apply/sqlstate.js';
import { FAILURES } from '../../src/observability/failures/failure-codes.js';
import type { Failure } from '../../src/observability/failures/failure.js';

/** The tables in `docs/` that are made of the sources, by the name in their marks. */
const TABLES: Readonly<Record<string, () => string>> = {
  'failure codes': failureCodes,
  'SQLSTATE classes': sqlStates,
};

/** A document with its tables as they should be. Throws for a mark that names no table. */
export async function withTables(text: string): Promise<string> {
  const marked = /(<!-- begin: ([^>]+) -->\n)[^]*?(<!-- end -->)/g;
  const made = text.replace(marked, (_, begin: string, name: string, end: string) => {
    const table = TABLES[name];
    if (!table) throw new Error(`There is no table "${name}"`);
    return `${begin}\n${table()}\n\n${end}`;
  });
  return format(made, { parser: 'markdown', singleQuote: true, printWidth: 110, trailingComma: 'all' });
}

function failureCodes(): string {
  const rows = Object.entries<Failure>(FAILURES).map(([code, { where, meaning, remedy, see }]) => {
    const more = see ? ` [More](#${see}).` : '';
    return row(`\`${code}\``, where.join(', '), meaning.en, remedy.en + more);
  });
  return [row('code', 'where', 'meaning', 'what to do'), row('---', '---', '---', '---'), ...rows].join('\n');
}

function sqlStates(): string {
  const outcome = { transient: 'waited for', permanent: 'quarantine' };
  const rows = SQL_STATES.map(({ states, kind, meaning }) =>
    row(`\`${states.padEnd(5, '…').slice(0, states.length === 2 ? 3 : 5)}\``, meaning, outcome[kind]),
  );
  return [row('SQLSTATE', 'about', 'outcome'), row('---', '---', '---'), ...rows].join('\n');
}

const row = (...cells: readonly string[]) =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
