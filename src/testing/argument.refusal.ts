import { WechatError } from '../common/errors.js';

/** @throws {WechatError} `invalid_argument` */
export function refuse(message: string, options?: ErrorOptions): never {
  throw new WechatError('invalid_argument', `signInWechatUser: ${message}`, options);
}
