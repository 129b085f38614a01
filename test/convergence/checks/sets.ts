import type { Evidence } from '../evidence.js';

/** A transaction that changed several patients is at central whole, or in quarantine whole, or not there yet. */
export function checkSets({ central, quarantine }: Evidence): string[] {
  const applied = [...central.journal, ...quarantine.filter(({ state }) => state === 'discarded')];
  const held = quarantine.filter(({ state }) => state === 'refused' || state === 'waiting');
  return [...countSets(applied, 'applied'), ...countSets(held, 'held')];
}

function countSets(entries: Evidence['central']['journal'], how: string): string[] {
  const counts = new Map<string, { size: number; found: number }>();
  for (const { origin, changeSet, size } of entries) {
    if (origin === 'central') continue;
    const count = counts.get(changeSet) ?? { size, found: 0 };
    counts.set(changeSet, { size, found: count.found + 1 });
  }
  return [...counts]
    .filter(([, { size, found }]) => size !== found)
    .map(([set, { size, found }]) => `${String(found)} of ${String(size)} changes of ${set} are ${how}`);
}
