export { createWechatEmulator } from './emulator.js';
export { WechatEmulatorError } from './emulator.errors.js';
export type {
  WechatEmulator,
  WechatEmulatorApp,
  WechatEmulatorEndpoint,
  WechatEmulatorFault,
  WechatEmulatorFaultOptions,
  WechatEmulatorOptions,
  WechatEmulatorRefusal,
  WechatEmulatorRequest,
  WechatEmulatorTls,
  WechatEmulatorUser,
  WechatEmulatorUserControl,
} from './emulator.types.js';
