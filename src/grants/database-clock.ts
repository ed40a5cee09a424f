import { Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { WechatClock } from '../common/clock.js';
import { instantOf } from './grant.reader.js';

const PROBE_INTERVAL_MS = 60_000;

/**
 * The database's time, told without asking the database each time: one probe measures it, this process's
 * monotonic clock advances it, and a new probe each minute corrects the drift. So all instances agree on when a
 * token ends, whatever their own clocks say.
 */
export class DatabaseClock extends WechatClock implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(DatabaseClock.name);
  /** Database time minus monotonic time, in milliseconds. Until the first probe, this machine's time serves. */
  private offsetMs = performance.timeOrigin;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly dataSource: DataSource) {
    super();
  }

  now(): Date {
    return new Date(this.offsetMs + performance.now());
  }

  async onModuleInit(): Promise<void> {
    await this.probe();
    this.timer = setInterval(() => {
      this.probe().catch((error: unknown) => {
        this.logger.warn(`The database's time could not be read, the last offset stays: ${String(error)}`);
      });
    }, PROBE_INTERVAL_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private async probe(): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    try {
      // The wait for a connection must not count as time on the way.
      await runner.connect();
      const sentAt = performance.now();
      const rows = (await runner.query('SELECT clock_timestamp() AS now')) as [{ now: Date | string }];
      const receivedAt = performance.now();
      this.offsetMs = instantOf(rows[0].now).getTime() - (sentAt + receivedAt) / 2;
    } finally {
      await runner.release();
    }
  }
}
