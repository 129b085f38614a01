import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';

const DEMO_DATA = new URL('../../../src/imports/demo-data/Patient.ndjson.gz', import.meta.url);

/** The 1,144 synthetic patients that the product ships, `times` over, each time under other identifiers. */
export async function manyPatients(times: number): Promise<{ ndjson: string; patients: number }> {
  const lines = gunzipSync(await readFile(DEMO_DATA))
    .toString()
    .trimEnd()
    .split('\n');
  const copies = Array.from({ length: times }, (_, copy) => lines.map((line) => copyOf(line, copy)));
  return { ndjson: copies.flat().join('\n'), patients: times * lines.length };
}

function copyOf(line: string, copy: number): string {
  const { id } = JSON.parse(line) as { id: string };
  return line.replaceAll(id, `${id}-${String(copy)}`);
}
