/**
 * The header of a compact JWE in a column: what stands before the first dot. It is all that tells by which key a row is
 * sealed.
 */
export function headerOf(column: string): string {
  return `split_part(${column}, '.', 1)`;
}

/** @returns the key's id; undefined for what this module has not written. */
export function kidOf(header: string): string | undefined {
  if (!/^[\w-]{1,256}$/.test(header)) return undefined;
  try {
    const parsed = JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as { kid?: unknown } | null;
    return typeof parsed?.kid === 'string' ? parsed.kid : undefined;
  } catch {
    return undefined;
  }
}

/** A row may hold anything, and a key's id in it goes to terminals and logs. */
export function printableKid(kid: string): string {
  return kid.replace(/[^\x20-\x7e]/g, '?').slice(0, 32);
}
