interface Level {
  /** The keys of the object so far; `undefined` inside an array. */
  readonly keys: Set<string> | undefined;
  /** The key, or the position, that is being read. */
  at: string | number;
}

const TOKENS = /"(?:[^"\\]|\\.)*"|[[\]{},:]/g;

/** The paths of the keys that an object of the JSON `text` holds more than once. `text` must be valid. */
export function duplicateKeys(text: string): string[] {
  const levels: Level[] = [];
  const found = new Set<string>();
  let lastString = '';
  for (const [token] of text.matchAll(TOKENS)) {
    const level = levels.at(-1);
    if (token === '{') levels.push({ keys: new Set(), at: '' });
    else if (token === '[') levels.push({ keys: undefined, at: 0 });
    else if (token === '}' || token === ']') levels.pop();
    else if (token === ',') nextItem(level);
    else if (token === ':') enterKey(levels, JSON.parse(lastString) as string, found);
    else lastString = token;
  }
  return [...found];
}

function nextItem(level: Level | undefined): void {
  if (typeof level?.at === 'number') level.at++;
}

function enterKey(levels: readonly Level[], key: string, found: Set<string>): void {
  const level = levels.at(-1);
  if (!level?.keys) return;
  level.at = key;
  if (level.keys.has(key)) found.add(levels.map(({ at }) => at).join('.'));
  level.keys.add(key);
}
