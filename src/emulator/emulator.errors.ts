import { WechatError } from '../common/errors.js';

/**
 * The emulator was asked for something it cannot do. `code` is one of
 *
 * - `emulator_option`: an option of {@link createWechatEmulator} is wrong;
 * - `emulator_state_file`: the state file cannot be read or written, or another emulator uses it;
 * - `emulator_port`: the port cannot be listened on;
 * - `emulator_argument`: a method was called with an unknown openid, endpoint or fault.
 */
export class WechatEmulatorError extends WechatError {}
