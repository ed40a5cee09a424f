import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import { WechatRandomness } from '../common/randomness.js';
import { Refresher } from './refresher.js';

/**
 * Sweeps again and again, a pause after each sweep's end. The pauses differ by a tenth, so that instances which were
 * started together do not all come at the same moment. The first sweep is a pause after the start, which never waits.
 */
@Injectable()
export class RefreshTimer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('WechatRefresh');
  private timer: NodeJS.Timeout | undefined;
  private isStopping = false;
  private hasFailed = false;

  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(WechatRandomness) private readonly randomness: WechatRandomness,
    @Inject(Refresher) private readonly refresher: Refresher,
  ) {}

  onApplicationBootstrap(): void {
    if (this.options.refresh.isScheduled) this.plan();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.timer);
    await this.refresher.stop();
  }

  private plan(): void {
    const { intervalMs } = this.options.refresh;
    const fraction = this.randomness.bytes(2).readUInt16BE() / 65_536;
    this.timer = setTimeout(() => void this.sweep(), intervalMs * (0.9 + 0.2 * fraction));
    this.timer.unref();
  }

  private async sweep(): Promise<void> {
    try {
      await this.refresher.sweep();
      if (this.hasFailed) this.logger.log('Access tokens are refreshed again.');
      this.hasFailed = false;
    } catch (error) {
      // Once, and not at each attempt while the database is down.
      if (!this.hasFailed) {
        this.logger.error(
          `Access tokens could not be refreshed; it is tried again and again: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      this.hasFailed = true;
    }
    if (!this.isStopping) this.plan();
  }
}
