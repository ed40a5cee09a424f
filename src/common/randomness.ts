import { randomBytes } from 'node:crypto';

/** Where ids and nonces come from. */
export abstract class WechatRandomness {
  /** @returns `size` bytes that nobody can predict. */
  abstract bytes(size: number): Buffer;
}

export class SystemRandomness extends WechatRandomness {
  bytes(size: number): Buffer {
    return randomBytes(size);
  }
}
