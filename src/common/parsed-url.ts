/**
 * @returns undefined for what is no address.
 *
 * Not `URL.canParse`: Node.js 20 and 22, after some thousand calls, answer false for texts with letters such as `ü`.
 *
 * @see https://github.com/AikidoSec/firewall-node/pull/1086
 */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
