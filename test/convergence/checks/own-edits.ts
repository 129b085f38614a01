import { isDeepStrictEqual } from 'node:util';
import type { Evidence, Holding } from '../evidence.js';
import type { Row } from '../values.js';

/** What a region has done and not yet sent is what its people see. */
export function checkOwnEdits({ regions, received }: Evidence): string[] {
  return regions.flatMap((region) => checkRegion(region, received.get(region.code) ?? 0));
}

function checkRegion({ code, patients, journal }: Holding, sent: number): string[] {
  const rows = new Map<string, Row | null>();
  for (const { origin, originSeq, entity, entityId, op, after } of journal) {
    if (origin !== code || originSeq <= sent || entity !== 'patients') continue;
    rows.set(entityId, op === 'remove' ? null : { ...rows.get(entityId), ...after });
  }
  return [...rows].flatMap(([id, edited]) => {
    const row = patients.get(id);
    if (!edited || !row) return edited || row ? [`${code} has lost sight of what it did to ${id}`] : [];
    const hidden = Object.keys(edited).filter((column) => !isDeepStrictEqual(edited[column], row[column]));
    return hidden.map(
      (column) => `${code} no longer shows its own ${column} of ${id}, which it has not sent yet`,
    );
  });
}
