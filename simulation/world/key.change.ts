import { createHash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { SystemRandomness } from '../../src/common/randomness.js';
import { Sealer, type SealingKey } from '../../src/common/sealer.js';
import { KeyRotation } from '../../src/grants/key-rotation.js';
import type { RotationStage } from '../plan/actions.js';

/** Fewer than there are rows, so that rows change between one batch and the next. */
const BATCH = 50;

type Keys = readonly [SealingKey, ...SealingKey[]];

/** The sealing keys of all instances, which are changed once, step by step. */
export class KeyChange {
  private readonly former: SealingKey;
  private readonly next: SealingKey;
  private keys: Keys;

  constructor(seed: string) {
    this.former = keyOf('k1', seed);
    this.next = keyOf('k2', seed);
    this.keys = [this.former];
  }

  /** `WECHAT_AUTH_KEYS`, as it is at the moment. */
  get text(): string {
    return this.keys.map(({ kid, secret }) => `${kid}:${secret.toString('base64')}`).join(',');
  }

  /** What opens what instances have sealed. */
  get sealer(): Sealer {
    return new Sealer(this.keys, new SystemRandomness());
  }

  /** The keys as nobody may see them. */
  get secrets(): string[] {
    return [this.former, this.next].map(({ secret }) => secret.toString('base64'));
  }

  /** Changes the setting; instances have it when they are started next. */
  turn(stage: Exclude<RotationStage, 're-seal'>): void {
    const { former, next } = this;
    const keys: Record<typeof stage, Keys> = { add: [former, next], promote: [next, former], retire: [next] };
    this.keys = keys[stage];
  }

  /** `rotate-keys`. @returns how many kinds of texts do not open. */
  async reseal(dataSource: DataSource): Promise<number> {
    const rotation = new KeyRotation(dataSource, this.keys, { batchSize: BATCH, dryRun: false });
    return (await rotation.run()).unopened.length;
  }
}

function keyOf(kid: string, seed: string): SealingKey {
  return { kid, secret: createHash('sha256').update(`${kid} of ${seed}`).digest() };
}
