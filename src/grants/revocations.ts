import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import type { WechatSession } from '../common/session.js';
import { RevocationList } from './revocation.list.js';
import { type Revocation, RevocationRepository, sessionRevocation } from './revocation.repository.js';

const POLL_INTERVAL_MS = 30_000;
/** A row may be committed later than the instant that it names, and clocks differ by a little. */
const OVERLAP_MS = 5 * 60 * 1000;
const DROP_INTERVAL_MS = 60 * 60 * 1000;
/** What could not be written, while the database is down; whoever signs out then has no session cookie any more. */
const MAX_UNWRITTEN = 10_000;

/**
 * Knows which sessions are over before their time, on whichever instance that was decided, without asking the database
 * at a request: all revocations are read before the application serves, and new ones every 30 seconds. While the
 * database is unreachable, what is known holds, and sessions go on.
 */
@Injectable()
export class Revocations implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('WechatRevocations');
  private readonly list = new RevocationList();
  private readonly unwritten = new Map<string, Revocation>();
  private polledAt: Date | undefined;
  private droppedAt: Date | undefined;
  private polling: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isStopping = false;
  private hasFailed = false;

  constructor(
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(RevocationRepository) private readonly rows: RevocationRepository,
  ) {}

  /** When the database was last asked with success: sign-outs on other instances are known until shortly before. */
  get lastPolledAt(): Date | undefined {
    return this.polledAt;
  }

  /** How many revocations are kept here. */
  get size(): number {
    return this.list.size;
  }

  /** After the check at start, which says better what is wrong with a table, and before anything is served. */
  async onApplicationBootstrap(): Promise<void> {
    await this.poll();
    this.plan();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.timer);
    await this.polling;
    if (this.unwritten.size > 0) await this.pollAndTell();
  }

  isRevoked(session: WechatSession): boolean {
    return this.list.has(session);
  }

  /** Ends a session, here at once and elsewhere soon. Never rejects: without the database it is written later. */
  async revoke(session: WechatSession): Promise<void> {
    const now = this.clock.now();
    if (session.expiresAt <= now || this.isRevoked(session)) return;
    const revocation = sessionRevocation(session, now);
    this.list.add(revocation);
    try {
      await this.rows.save([revocation]);
    } catch (error) {
      if (this.unwritten.size < MAX_UNWRITTEN) this.unwritten.set(session.id, revocation);
      this.tellFailure(error);
    }
  }

  /** Takes in what was written already. */
  take(revocations: readonly Revocation[]): void {
    for (const revocation of revocations) this.list.add(revocation);
  }

  /** Writes what is not written yet, and reads what is new. */
  async poll(): Promise<void> {
    const now = this.clock.now();
    await this.writeUnwritten();
    const since = new Date(this.polledAt ? this.polledAt.getTime() - OVERLAP_MS : 0);
    for await (const page of this.rows.since(since, now)) this.take(page);
    this.polledAt = now;
    this.dropExpired(now);
  }

  private async writeUnwritten(): Promise<void> {
    const revocations = [...this.unwritten.values()];
    await this.rows.save(revocations);
    for (const { subject } of revocations) this.unwritten.delete(subject);
  }

  private dropExpired(now: Date): void {
    this.droppedAt ??= now;
    if (now.getTime() - this.droppedAt.getTime() < DROP_INTERVAL_MS) return;
    this.list.dropExpired(now);
    this.droppedAt = now;
  }

  private plan(): void {
    if (this.isStopping) return;
    this.timer = setTimeout(() => {
      this.polling = this.pollAndTell().then(() => this.plan());
    }, POLL_INTERVAL_MS);
    this.timer.unref();
  }

  private async pollAndTell(): Promise<void> {
    try {
      await this.poll();
      if (this.hasFailed) this.logger.log('Sign-outs on other instances are known again.');
      this.hasFailed = false;
    } catch (error) {
      this.tellFailure(error);
    }
  }

  /** Once, and not at each attempt while the database is down. */
  private tellFailure(error: unknown): void {
    if (!this.hasFailed) {
      this.logger.error(
        `The database cannot be asked which sessions are over; sessions go on, and it is tried again every 30 seconds: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    this.hasFailed = true;
  }
}
