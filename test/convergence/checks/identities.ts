import type { Evidence } from '../evidence.js';

/** Two patients with one medical id are both kept, and somebody is asked. */
export function checkIdentities({ central }: Evidence): string[] {
  const patients = [...central.patients.values()];
  const asked = [...central.conflicts.values()].filter(({ kind }) => kind === 'identity');
  return patients.flatMap((one, nth) =>
    patients.slice(nth + 1).flatMap((other) => {
      if (one.medical_id !== other.medical_id) return [];
      const isAsked = asked.some(
        ({ entity_id: a, other_id: b }) =>
          (a === one.id && b === other.id) || (a === other.id && b === one.id),
      );
      return isAsked
        ? []
        : [`${String(one.id)} and ${String(other.id)} share a medical id, and nobody is asked`];
    }),
  );
}
