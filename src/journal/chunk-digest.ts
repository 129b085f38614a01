/**
 * SQL for a digest of entries, given as one array for each of their columns, and of the stretch of a journal that
 * they fill. The sender's database computes it from its rows and the receiver's from what it has read, so that it
 * covers the whole way between them. Arrays are hashed as values, in whatever form they travel; JSON as its text, which took
 * a third of hashing `jsonb` key by key.
 */
export function digestOf(arrays: readonly string[], stretch: Stretch): string {
  const header = `hashtextextended(concat_ws(' ', ${stretch.origin}, ${stretch.after}, ${stretch.through}), 0)`;
  const hashes = arrays.map((array) => `hash_array_extended(${array}, 0)`);
  return `hash_array_extended(ARRAY[${[header, ...hashes].join(', ')}], 0)`;
}

/** SQL expressions. */
interface Stretch {
  readonly origin: string;
  readonly after: string;
  readonly through: string;
}
