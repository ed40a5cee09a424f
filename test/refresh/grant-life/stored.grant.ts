import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { SystemRandomness } from '../../../src/common/randomness.js';
import { Sealer } from '../../../src/common/sealer.js';
import { ConsentRepository } from '../../../src/grants/consent.repository.js';
import { GrantRepository } from '../../../src/grants/grant.repository.js';
import { DEFAULT_GRANT_TIMES } from '../../../src/grants/grant.times.js';
import { type ClaimedGrant, RefreshRepository } from '../../../src/grants/refresh.repository.js';
import type { WechatGrant } from '../../../src/grants/wechat-grant.entity.js';
import type { GrantModel, ModelClaim } from './grant.model.js';

/** A refresh under way, as the module has it and as the model has it. */
export interface Claim {
  real: ClaimedGrant;
  model: ModelClaim;
}

/** One user's row, by the repositories that write it, and what is still under way. */
export class StoredGrant {
  readonly key = { appId: randomUUID().slice(0, 18), openid: 'oUser' };
  readonly grants: GrantRepository;
  readonly refreshes: RefreshRepository;
  readonly consents: ConsentRepository;
  readonly claims: Claim[] = [];
  /** The row as callers have read it at one time or another: what they learn is about that. */
  readonly readings: WechatGrant[] = [];

  constructor(dataSource: DataSource) {
    const sealer = new Sealer([{ kid: 'k1', secret: Buffer.alloc(32, 1) }], new SystemRandomness());
    this.grants = new GrantRepository(dataSource, sealer);
    this.refreshes = new RefreshRepository(dataSource, sealer);
    this.consents = new ConsentRepository(dataSource, DEFAULT_GRANT_TIMES);
  }

  /** The row has to be what the model says; the pause after a failure and the spread of sweeps are not in the model. */
  async compare(model: GrantModel): Promise<void> {
    const row = await this.grants.find(this.key);
    if (model.version === 0) {
      expect(row).toBeNull();
      return;
    }
    if (!row) throw new Error('The row is gone.');
    expect({
      version: row.pairVersion,
      scope: row.pairScope,
      status: row.pairStatus,
      suspectSinceMs: row.pairSuspectSince?.getTime() ?? null,
      ability: row.pairAbility,
      accessEndsMs: row.accessTokenExpiresAt.getTime(),
      refreshEndsMs: row.refreshTokenExpiresAt.getTime(),
      consentEndsMs: row.consentExpiresAt?.getTime() ?? null,
      notice: row.consentNotice,
      reviewMs: row.consentReviewAt?.getTime() ?? null,
      askedMs: row.consentAskedAt?.getTime() ?? null,
      isPopupWanted: row.consentPopupWanted,
      failures: row.refreshFailures,
      leaseId: row.refreshLeaseId,
      leaseEndsMs: row.refreshLeaseExpiresAt?.getTime() ?? null,
      isKept: row.refreshDueAt !== null,
    }).toEqual({
      version: model.version,
      scope: model.scope,
      status: model.status,
      suspectSinceMs: model.suspectSinceMs,
      ability: model.ability,
      accessEndsMs: model.accessEndsMs,
      refreshEndsMs: model.refreshEndsMs,
      consentEndsMs: model.consentEndsMs,
      notice: model.notice,
      reviewMs: model.reviewMs,
      askedMs: model.askedMs,
      isPopupWanted: model.isPopupWanted,
      failures: model.failures,
      leaseId: model.lease?.id ?? null,
      leaseEndsMs: model.lease?.endsMs ?? null,
      isKept: model.isKept,
    });
    this.readings.push(row);
  }
}
