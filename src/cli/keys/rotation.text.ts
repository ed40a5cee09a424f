import { wrap } from '../text.layout.js';
import type { KeyReport, RotationReport } from './rotation.report.js';
import { count } from './texts.js';

/** How long sign-ins that are under way need the key that they began with. */
const SIGN_IN_MINUTES = 15;

const ROLES: Record<KeyReport['role'], string> = {
  seals: 'seals',
  opens: 'opens',
  missing: 'not in WECHAT_AUTH_KEYS',
};

/** The report for people: what was done, how many texts name each key, and which keys may go. */
export function rotationText(report: RotationReport, place: string, columns: number): string {
  const paragraphs = [
    `In ${place}, schema ${report.schema}:\n${wrap(whatWasDone(report), columns, '  ')}`,
    table(report.keys),
    ...report.problems.map(
      ({ problem, cure }) => `${wrap(`error: ${problem}`, columns)}\n${wrap(cure, columns, '  ', '→ ')}`,
    ),
    ...retirement(report).map((text) => wrap(text, columns)),
  ];
  return paragraphs.join('\n\n');
}

function whatWasDone({ dryRun, resealed, keys, problems }: RotationReport): string {
  const first = keys[0]?.kid ?? '';
  const { tokens, userinfo } = resealed;
  if (tokens + userinfo > 0) {
    return `${dryRun ? 'would re-seal' : 're-sealed'} with ${first}: the tokens of ${count(tokens, 'user')}, ${count(userinfo, 'profile')}.`;
  }
  if (problems.length > 0) return `Nothing was re-sealed with ${first}; see below.`;
  const isOnlyKey = keys.length === 1 ? ', the only key in WECHAT_AUTH_KEYS' : '';
  return `Nothing to do: everything is sealed with ${first}${isOnlyKey}.`;
}

function table(keys: readonly KeyReport[]): string {
  const width = Math.max(3, ...keys.map(({ kid }) => kid.length));
  const line = (kid: string, tokens: string, profiles: string, role: string): string =>
    `  ${kid.padEnd(width)}  ${tokens.padStart(9)}  ${profiles.padStart(9)}  ${role}`.trimEnd();
  return [
    line('key', 'tokens', 'profiles', ''),
    ...keys.map(({ kid, tokens, userinfo, role }) =>
      line(kid, String(tokens), String(userinfo), ROLES[role]),
    ),
  ].join('\n');
}

function retirement({ keys, dryRun }: RotationReport): string[] {
  const first = keys[0]?.kid ?? '';
  const others = keys.filter(({ role }) => role === 'opens');
  const unused = others.filter(({ mayBeRetired }) => mayBeRetired).map(({ kid }) => kid);
  const used = others.filter(({ mayBeRetired }) => !mayBeRetired).map(({ kid }) => kid);
  const texts: string[] = [];
  if (unused.length > 0) {
    texts.push(
      `No stored text needs ${unused.join(', ')}. Take it out of WECHAT_AUTH_KEYS once ${first} has come first there on every instance for ${SIGN_IN_MINUTES} minutes: sign-ins that are under way need their key for as long. A session cookie sealed with it then means to sign in anew, silently on base routes.`,
    );
  }
  if (used.length > 0) {
    texts.push(
      `Keep ${used.join(', ')} in WECHAT_AUTH_KEYS: stored texts need it${dryRun ? ', until they are re-sealed' : ''}.`,
    );
  }
  return texts;
}
