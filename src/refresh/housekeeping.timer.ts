import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { WechatRandomness } from '../common/randomness.js';
import { Housekeeping } from './housekeeping.js';

const INTERVAL_MS = 10 * 60 * 1000;

/**
 * Runs the housekeeping again and again, on every instance, also on those that refresh no tokens. The pauses differ by a
 * tenth, so that instances which were started together do not all come at the same moment. The start never waits.
 */
@Injectable()
export class HousekeepingTimer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('WechatHousekeeping');
  private timer: NodeJS.Timeout | undefined;
  private isStopping = false;
  private hasFailed = false;

  constructor(
    @Inject(WechatRandomness) private readonly randomness: WechatRandomness,
    @Inject(Housekeeping) private readonly housekeeping: Housekeeping,
  ) {}

  onApplicationBootstrap(): void {
    this.plan();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.timer);
    await this.housekeeping.stop();
  }

  private plan(): void {
    const fraction = this.randomness.bytes(2).readUInt16BE() / 65_536;
    this.timer = setTimeout(() => void this.run(), INTERVAL_MS * (0.9 + 0.2 * fraction));
    this.timer.unref();
  }

  private async run(): Promise<void> {
    try {
      await this.housekeeping.run();
      if (this.hasFailed) this.logger.log('What is of no use any more is deleted again.');
      this.hasFailed = false;
    } catch (error) {
      // Once, and not at each attempt while the database is down.
      if (!this.hasFailed) {
        this.logger.error(
          `What is of no use any more could not be deleted; it is tried again and again: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      this.hasFailed = true;
    }
    if (!this.isStopping) this.plan();
  }
}
