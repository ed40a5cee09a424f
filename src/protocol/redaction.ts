import { types } from 'node:util';

const MASK = '[redacted]';

/** From this length on a value is masked wherever it turns up; a shorter one only where it stands alone. */
const MASKED_ANYWHERE_FROM_CHARS = 8;

/**
 * Masks everything in `text` that may be a credential: each of `secrets`, as it is or URL-encoded, in any case,
 * and every run of 32 or more characters that could be a token. WeChat's request ids (at most 26 characters)
 * survive.
 */
export function redact(text: string, secrets: readonly string[]): string {
  let redacted = text;
  for (const secret of spellings(secrets)) {
    const literal = secret.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    const pattern =
      secret.length < MASKED_ANYWHERE_FROM_CHARS ? `(?<![A-Za-z0-9])${literal}(?![A-Za-z0-9])` : literal;
    redacted = redacted.replace(new RegExp(pattern, 'gi'), MASK);
  }
  return redacted.replace(/[A-Za-z0-9_-]{32,}/g, MASK);
}

/** Makes text from outside fit for one line of a log: no control characters, no half characters. */
export function toOneLine(text: string): string {
  return toWellFormed(text)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
}

/** Replaces each lone surrogate by U+FFFD (`String.prototype.toWellFormed`, which ES2023 has not yet). */
export function toWellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}

/**
 * A copy of `error` that is safe to keep as a `cause`: name, message, code and stack, all masked, and nothing
 * else. undici's parser errors, for one, carry the bytes of the answer, tokens and all.
 */
export function toSafeCause(error: unknown, secrets: readonly string[]): Error {
  if (!isError(error)) return new Error('not an Error');
  // An AggregateError, which Node.js throws where several addresses were tried, has no message of its own.
  const parts: unknown[] = 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
  const message = error.message || parts.map((part) => (isError(part) ? part.message : '')).join('; ');
  const safe: Error & { code?: string } = new Error(redact(message, secrets));
  safe.name = error.name;
  if (error.stack !== undefined) safe.stack = redact(error.stack, secrets);
  const code = errorCodeOf(error);
  if (code !== undefined) safe.code = code;
  return safe;
}

/** The `code` of a Node.js or undici error (`ECONNREFUSED`, `UND_ERR_SOCKET`), if it has one. */
export function errorCodeOf(error: unknown): string | undefined {
  if (!isError(error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Knows errors of other realms too: inside a `node:vm` context, as in Jest, those of Node.js itself are such. */
function isError(error: unknown): error is Error {
  return error instanceof Error || types.isNativeError(error);
}

function spellings(secrets: readonly string[]): string[] {
  const all = new Set<string>();
  for (const secret of secrets) {
    if (secret === '') continue;
    all.add(secret);
    all.add(encodeURIComponent(toWellFormed(secret)));
  }
  // Longest first: a secret that is part of another one must not leave the rest of that one behind.
  return [...all].sort((a, b) => b.length - a.length);
}
