import { createHash } from 'node:crypto';

/** SHA-256, for what must be recognised again but never read back. */
export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** A short stable name for a user in logs, from which the openid cannot be told. */
export function openidForLogs(openid: string): string {
  return `user#${sha256(openid).toString('hex').slice(0, 12)}`;
}
