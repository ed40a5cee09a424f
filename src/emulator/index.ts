export { createWechatEmulator } from './emulator.js';
export { WechatEmulatorError } from './emulator.errors.js';
export type {
  WechatEmulatorApp,
  WechatEmulatorDoubleCallback,
  WechatEmulatorOptions,
  WechatEmulatorRefusal,
  WechatEmulatorTls,
  WechatEmulatorUser,
  WechatEmulatorUserOptions,
  WechatEmulatorVariants,
} from './emulator.options.js';
export type {
  WechatEmulator,
  WechatEmulatorEndpoint,
  WechatEmulatorFault,
  WechatEmulatorFaultOptions,
  WechatEmulatorRequest,
  WechatEmulatorTokens,
  WechatEmulatorUserControl,
} from './emulator.types.js';
