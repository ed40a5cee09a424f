/** The module's tables, in the order in which the check at start names them. */
export const TABLES = [
  'wechat_grant',
  'wechat_sign_in',
  'wechat_account_state',
  'wechat_quota',
  'wechat_revocation',
  'wechat_lease',
];

/** @returns `a, b and c`, as messages say it. */
export function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}
