/** JSON of which nothing is known. A resource is read by asking, since its sender may have written anything. */
export type Json = Readonly<Record<string, unknown>>;

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The objects of a list; of anything else, none. */
export function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isJson) : [];
}

export function object(value: unknown): Json {
  return isJson(value) ? value : {};
}

/** A text that says something. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

/** The texts of a list. */
export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.flatMap((item) => text(item) ?? []) : [];
}

/** The codes of a CodeableConcept. */
export function codes(concept: unknown): string[] {
  return objects(object(concept)['coding']).flatMap(({ code }) => text(code) ?? []);
}

export function extension(of: Json, url: string): Json {
  return objects(of['extension']).find((candidate) => candidate['url'] === url) ?? {};
}
