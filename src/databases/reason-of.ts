/** Why something failed, in words. Node gives none when each address of a host refuses: then its code. */
export function reasonOf(error: unknown): string {
  const { message, code, name } = (error ?? {}) as { message?: string; code?: string; name?: string };
  return message || code || name || String(error);
}
