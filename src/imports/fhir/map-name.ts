import { type Json, objects, text, texts } from './resource.js';

/** The uses of a name, the one that is sought first; a name without a use comes after them. */
const OFFICIAL_FIRST = ['official', undefined, 'usual', 'maiden', 'nickname'];

/** The official name; where there is none, the one that comes nearest to it. */
export function officialName(resource: Json): { familyName?: string; givenNames?: string } {
  const names = objects(resource['name']);
  const name = OFFICIAL_FIRST.flatMap((use) => names.filter((candidate) => candidate['use'] === use))[0];
  if (!name) return {};
  const given = texts(name['given']).join(' ');
  return { familyName: text(name['family']), givenNames: text(given) };
}

/** The family name that the patient goes by, when it is another than the official one. */
export function usedName(resource: Json): string | undefined {
  const { familyName } = officialName(resource);
  const families = ['usual', 'nickname'].flatMap((use) =>
    objects(resource['name'])
      .filter((name) => name['use'] === use)
      .flatMap(({ family }) => text(family) ?? []),
  );
  return families.find((family) => family !== familyName);
}
