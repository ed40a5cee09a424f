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

/**
 * Something the operator has set, or has not set, keeps the module from working: an environment variable, an
 * option, a missing table. The message lists every problem found, each with its cure.
 */
export class WechatConfigurationError extends WechatError {
  declare readonly code: 'invalid_configuration';
  /** One entry per problem: what is wrong, then what to do. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(
      'invalid_configuration',
      `nestjs-wechat-auth is not configured correctly:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
      options,
    );
    this.problems = problems;
  }
}
