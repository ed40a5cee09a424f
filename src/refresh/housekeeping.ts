import { randomUUID } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { WechatEvents } from '../common/events.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import { ErasureRepository } from '../grants/erasure.repository.js';
import { ExpiredRepository } from '../grants/expired.repository.js';
import type { GrantKey } from '../grants/grant.reader.js';
import { LeaseRepository } from '../grants/lease.repository.js';

const MINUTE_MS = 60 * 1000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Many times as long as one batch takes; whoever has died is replaced after that. */
const LEASE_MS = 2 * MINUTE_MS;
/** Rows that one statement deletes: few enough that nobody waits for them. */
const DELETE_BATCH = 1_000;
/** Rows that one statement looks at. */
const LOOK_BATCH = 5_000;

/** What one instance does for all, and how often. */
interface Task {
  /** The lease's name. */
  name: string;
  /** How long after it was done it is done again, in milliseconds. */
  everyMs: number;
  /** Does a part of the work after the other; at each `yield` somebody else may have taken over. */
  work: () => AsyncGenerator<void, void, undefined>;
}

/**
 * Deletes what is of no use any more: rows of sign-ins that are over, revocations of sessions that would have ended by
 * themselves, and the grants of users who have not come back for `retainInactiveDays`. One instance does it for all.
 */
@Injectable()
export class Housekeeping {
  private readonly logger = new Logger('WechatHousekeeping');
  private readonly tasks: readonly Task[] = [
    // Less than the pause between two runs of one instance, so that it may be the same one each time.
    { name: 'expired', everyMs: 5 * MINUTE_MS, work: () => this.deleteExpired() },
    // No index tells who was seen last, since that would cost something at every sign-in: all rows are looked at.
    { name: 'retention', everyMs: DAY_MS, work: () => this.purgeInactive() },
  ];
  private isStopping = false;
  private readonly inFlight = new Set<Promise<void>>();

  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(WechatEvents) private readonly events: WechatEvents,
    @Inject(LeaseRepository) private readonly leases: LeaseRepository,
    @Inject(ExpiredRepository) private readonly expired: ExpiredRepository,
    @Inject(ErasureRepository) private readonly erasures: ErasureRepository,
  ) {}

  /** Does what is due and what no other instance is at. */
  async run(): Promise<void> {
    const run = this.runTasks();
    this.inFlight.add(run);
    try {
      await run;
    } finally {
      this.inFlight.delete(run);
    }
  }

  /** Begins nothing more, and waits for the statement that is under way. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.allSettled(this.inFlight);
  }

  private async runTasks(): Promise<void> {
    for (const task of this.tasks) {
      // Of this run alone: what is done keeps this instance, too, from doing it again too soon.
      const holderId = randomUUID();
      if (!this.isStopping && (await this.hold(task, holderId, LEASE_MS))) await this.runTask(task, holderId);
    }
  }

  private async runTask(task: Task, holderId: string): Promise<void> {
    let isDone = false;
    try {
      const parts = task.work();
      while (!(await parts.next()).done) {
        if (this.isStopping || !(await this.hold(task, holderId, LEASE_MS))) return;
      }
      isDone = true;
    } finally {
      if (isDone) await this.hold(task, holderId, task.everyMs);
      else await this.leases.release(task.name, holderId, this.clock.now());
    }
  }

  private hold({ name }: Task, holderId: string, forMs: number): Promise<boolean> {
    const now = this.clock.now();
    return this.leases.take(name, holderId, now, new Date(now.getTime() + forMs));
  }

  private async *deleteExpired(): AsyncGenerator<void, void, undefined> {
    while ((await this.expired.deleteSignIns(this.clock.now(), DELETE_BATCH)) === DELETE_BATCH) yield;
    while ((await this.expired.deleteRevocations(this.clock.now(), DELETE_BATCH)) === DELETE_BATCH) yield;
  }

  private async *purgeInactive(): AsyncGenerator<void, void, undefined> {
    const seenBefore = new Date(this.clock.now().getTime() - this.options.retainInactiveDays * DAY_MS);
    let purged = 0;
    let after: GrantKey | undefined;
    do {
      const { last, inactive } = await this.erasures.lookAt(after, seenBefore, LOOK_BATCH);
      after = last;
      for (let start = 0; start < inactive.length; start += DELETE_BATCH) {
        const batch = inactive.slice(start, start + DELETE_BATCH);
        const gone = await this.erasures.purge(batch, seenBefore, () => this.clock.now());
        for (const user of gone) this.events.emit('wechat.forgotten', user);
        purged += gone.length;
        yield;
      }
      yield;
    } while (after);
    if (purged > 0) {
      this.logger.log(
        `${purged} users who have not signed in for ${this.options.retainInactiveDays} days were forgotten.`,
      );
    }
  }
}
