/**
 * The root of every error this module throws on purpose.
 *
 * `code` is stable across releases and safe to branch on; `message` is for people and may change. No error of
 * this module carries a token, an authorization code, a secret or a key.
 */
export class WechatError extends Error {
  /** Stable identifier of the kind of failure, for example `timeout`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** One thing that keeps the module from working. Neither text holds a secret. */
export interface WechatConfigurationProblem {
  /** What is wrong, with the name of the variable or option. */
  problem: string;
  /** What to do about it. */
  cure: string;
}

/**
 * Something the operator has set, or has not set, keeps the module from working: an environment variable, an
 * option, a missing table, a key that stored tokens need. The message lists every problem found, each with its cure.
 */
export class WechatConfigurationError extends WechatError {
  declare readonly code: 'invalid_configuration';
  /** What the message lists. */
  declare readonly problems: readonly WechatConfigurationProblem[];

  constructor(problems: readonly WechatConfigurationProblem[], options?: ErrorOptions) {
    super(
      'invalid_configuration',
      `nestjs-wechat-auth is not configured correctly:\n${problems.map(({ problem, cure }) => `  - ${problem} ${cure}`).join('\n')}`,
      options,
    );
    // Not enumerable: Nest's logger prints an error's properties, and the message says all of it already.
    Object.defineProperty(this, 'problems', { value: problems });
  }
}
