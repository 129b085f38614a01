const fields = new WeakMap<object, ReadonlySet<string>>();

/** Names what a resource's answers hold and its requests may not: it is refused as read-only, not as unknown. */
export function ReadOnly(...names: readonly string[]): ClassDecorator {
  return (dto) => {
    fields.set(dto, new Set(names));
  };
}

export function isReadOnly(dto: object, name: string): boolean {
  return fields.get(dto)?.has(name) ?? false;
}
