import type { Finding } from './invariant.js';

/** So many of a secret's first characters are looked for: a part of a secret is one too. */
const LENGTH = 24;
const RUNS = /[A-Za-z0-9_+/=-]{24,}/g;

/**
 * No secret is in anything that leaves the application. Not a phase at a time, like the others, but a text at a time:
 * the texts of a month would not fit into memory.
 */
export class Secrets {
  readonly name = 'no secret in any output';
  private readonly known = new Map<string, string>();

  /** @param what what the secret is, for a finding. */
  add(what: string, secret: string): void {
    this.known.set(secret.slice(0, LENGTH), what);
  }

  /** @param where what kind of output the text is. The secret itself is not repeated. */
  check(where: string, text: string): Finding[] {
    const findings: Finding[] = [];
    for (const [run] of decoded(text).matchAll(RUNS)) {
      for (let start = 0; start + LENGTH <= run.length; start++) {
        const what = this.known.get(run.slice(start, start + LENGTH));
        if (what !== undefined) findings.push({ expected: `no secret in ${where}`, seen: what });
      }
    }
    return findings;
  }
}

/** A secret in an address may be encoded. */
function decoded(text: string): string {
  return text.replace(/%(2B|2F|3D)/gi, (encoded) => decodeURIComponent(encoded));
}
