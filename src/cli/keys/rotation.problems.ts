import type { WechatConfigurationProblem } from '../../common/errors.js';
import type { KeyRotationResult, Unopened } from '../../grants/key-rotation.js';
import { headerOf, printableKid } from '../../grants/sealing-header.js';
import { missingKeyCure } from '../../grants/sealing-keys.check.js';
import { count } from './texts.js';

/** What keeps texts from being sealed with the first key, each with its cure. Names no openid. */
export function unopenedProblems(
  { unopened }: KeyRotationResult,
  table: string,
): WechatConfigurationProblem[] {
  return unopened.map((one) => (one.code === 'unknown_key' ? missingKey(one, table) : damaged(one, table)));
}

function missingKey(unopened: Unopened, table: string): WechatConfigurationProblem {
  const { purpose, kid = '', header = '' } = unopened;
  return {
    problem: `WECHAT_AUTH_KEYS lacks the key ${printableKid(kid)}, by which ${whose(unopened)} sealed. They were left as they are.`,
    cure:
      purpose === 'tokens'
        ? missingKeyCure(table, header)
        : `Put that key back, at the end of the list. If it is lost for good, let the profiles be fetched anew: ${clearProfiles(table)} ${headerOf('sealed_user_info')} = '${header}';`,
  };
}

function damaged(unopened: Unopened, table: string): WechatConfigurationProblem {
  const { purpose, users, kid, count: all } = unopened;
  // By the digest that stands in the logs: the openid itself belongs into no terminal.
  const digests = users.map((user) => `'${user.replace('user#', '')}'`).join(', ');
  const where = `left(encode(sha256(convert_to(openid, 'UTF8')), 'hex'), 12) IN (${digests});`;
  const isMore = all > users.length;
  const more = isMore ? ` These are the first ${users.length}; run rotate-keys again for more.` : '';
  const otherKey =
    isMore && kid !== undefined
      ? `So many are hardly damaged: see whether ${printableKid(kid)} in WECHAT_AUTH_KEYS is the key by which they were sealed, and if not, put that back. `
      : '';
  return {
    problem: `Not to be opened, since damaged or tampered with: ${whose(unopened).replace(/ (is|are)$/, '')} (${users.join(', ')}). They were left as they are.`,
    cure:
      otherKey +
      (purpose === 'tokens'
        ? `Each is mended when its user signs in. To let them sign in anew: DELETE FROM ${table} WHERE ${where}${more}`
        : `Each is fetched anew when it is needed. To have them fetched: ${clearProfiles(table)} ${where}${more}`),
  };
}

function clearProfiles(table: string): string {
  return `UPDATE ${table} SET sealed_user_info = NULL, user_info_fetched_at = NULL WHERE`;
}

function whose({ purpose, count: users }: Unopened): string {
  return purpose === 'tokens'
    ? `the tokens of ${count(users, 'user')} are`
    : users === 1
      ? 'the profile of 1 user is'
      : `the profiles of ${count(users, 'user')} are`;
}
