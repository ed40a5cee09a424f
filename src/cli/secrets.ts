const MASK = '[redacted]';

/**
 * Masks the secrets of the environment in a text that is not ours: a driver's message, a stack. What we write
 * ourselves names no secret in the first place.
 */
export function maskSecrets(text: string, env: NodeJS.ProcessEnv): string {
  let masked = text;
  for (const secret of secretsOf(env)) {
    const literal = secret.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    // A short password may be part of an ordinary word.
    masked = masked.replace(new RegExp(`(?<![A-Za-z0-9])${literal}(?![A-Za-z0-9])`, 'g'), MASK);
  }
  return masked;
}

function secretsOf(env: NodeJS.ProcessEnv): string[] {
  const keys = (env.WECHAT_AUTH_KEYS ?? '')
    .split(',')
    .flatMap((key) => [key.trim(), key.replace(/^[^:]*:/, '').trim()]);
  const passwords = [env.DATABASE_URL, env.HTTPS_PROXY, env.HTTP_PROXY].flatMap(passwordsIn);
  return [env.WECHAT_APP_SECRET?.trim() ?? '', ...keys, ...passwords]
    .filter((secret) => secret !== '')
    .sort((a, b) => b.length - a.length);
}

/** The password of an address, as it is written and as it is meant; found also where the address is no URL. */
function passwordsIn(address: string | undefined): string[] {
  const password = /\/\/[^:@/]*:(.*)@/.exec(address ?? '')?.[1] ?? '';
  return [password, decode(password)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
