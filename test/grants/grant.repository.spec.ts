import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource, type QueryRunner } from 'typeorm';
import { SystemRandomness } from '../../src/common/randomness.js';
import { SealError, Sealer } from '../../src/common/sealer.js';
import type { WechatScope, WechatUserInfo } from '../../src/common/wechat-user.js';
import { type GrantedAuthorization, GrantRepository } from '../../src/grants/grant.repository.js';
import { isConsentLive, isPairAlive, mayTryPair } from '../../src/grants/grant.standing.js';
import { WechatGrant } from '../../src/grants/wechat-grant.entity.js';
import { wechatAuthEntities, wechatAuthMigrations } from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Milliseconds count: nothing is rounded on the way to the database and back. */
const START = new Date('2026-03-01T08:00:00.123Z');
const KEY = { appId: 'wx0123456789abcdef', openid: 'oUser-1_of-WeChat' };
const USER_INFO: WechatUserInfo = {
  openid: KEY.openid,
  nickname: '小明👨‍👩‍👧🙂 "\'\\',
  headimgurl: 'https://thirdwx.qlogo.cn/mmopen/abc/132',
  sex: 0,
  language: '',
  province: '',
  city: '',
  country: '',
  privilege: ['chinaunicom'],
};

let database: TestDatabase;
let dataSource: DataSource;
let grants: GrantRepository;
const sealer = new Sealer([{ kid: 'k1', secret: Buffer.alloc(32, 1) }], new SystemRandomness());

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await connect();
  await dataSource.runMigrations();
  grants = new GrantRepository(dataSource, sealer);
});
beforeEach(() => dataSource.query('TRUNCATE wechat_grant'));
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

function connect(): Promise<DataSource> {
  return new DataSource({
    type: 'postgres',
    url: database.url,
    entities: wechatAuthEntities,
    migrations: wechatAuthMigrations,
  }).initialize();
}

function but(grant: WechatGrant, changes: Partial<WechatGrant>): WechatGrant {
  return Object.assign(new WechatGrant(), grant, changes);
}

function after(ms: number): Date {
  return new Date(START.getTime() + ms);
}

/** What came of an authorization at this time after the start; its tokens name the scope and the time. */
function authorization(
  scope: WechatScope,
  afterMs = 0,
  changes: Partial<GrantedAuthorization> = {},
): GrantedAuthorization {
  return {
    ...KEY,
    scope,
    unionid: undefined,
    accessToken: `ACCESS-${scope}-${afterMs}`,
    refreshToken: `REFRESH-${scope}-${afterMs}`,
    requestedAt: after(afterMs),
    accessTokenLifetimeMs: 7_200_000,
    refreshTokenLifetimeMs: 30 * DAY_MS,
    ...changes,
  };
}

async function stored(key = KEY): Promise<WechatGrant> {
  const grant = await grants.find(key);
  if (!grant) throw new Error('There is no such grant.');
  return grant;
}

async function countRows(): Promise<number> {
  const [row] = await dataSource.query<[{ count: number }]>(
    'SELECT count(*)::int AS count FROM wechat_grant',
  );
  return row.count;
}

describe('the first authorization of a user', () => {
  it('makes a row with the pair alone, where it was silent', async () => {
    const saved = await grants.saveAuthorization(authorization('base'));
    expect(await stored()).toEqual({
      ...KEY,
      unionid: null,
      pairVersion: 1,
      pairScope: 'base',
      pairStatus: 'alive',
      pairSuspectSince: null,
      pairAbility: 'unable',
      authorizedAt: START,
      sealedTokens: saved.sealedTokens,
      accessTokenExpiresAt: after(7_200_000),
      refreshTokenExpiresAt: after(30 * DAY_MS),
      consentedAt: null,
      consentExpiresAt: null,
      sealedUserInfo: null,
      userInfoFetchedAt: null,
      createdAt: START,
      signedInAt: null,
      // Nobody needs a pair that cannot read the profile once the user is signed in.
      refreshDueAt: null,
      refreshLeaseId: null,
      refreshLeaseExpiresAt: null,
      refreshFailures: 0,
      refreshFailedAt: null,
      consentReviewAt: null,
      consentNotice: null,
      consentAskedAt: null,
      consentPopupWanted: false,
    });
    expect(saved).toEqual(await stored());
  });

  it('makes a row with the consent too, where the user was asked', async () => {
    await grants.saveAuthorization(authorization('userinfo', 0, { unionid: 'u-1' }));
    expect(await stored()).toMatchObject({
      unionid: 'u-1',
      pairScope: 'userinfo',
      pairAbility: 'able',
      consentedAt: START,
      consentExpiresAt: after(30 * DAY_MS),
      sealedUserInfo: null,
      refreshDueAt: after(7_200_000 - 10 * MINUTE_MS),
      consentReviewAt: after(27 * DAY_MS),
    });
  });

  it('leaves the rows of other users and other accounts alone', async () => {
    const others = [
      { ...KEY, openid: KEY.openid.toLowerCase() },
      { ...KEY, appId: 'wxfedcba9876543210' },
    ];
    for (const other of others) await grants.saveAuthorization({ ...authorization('userinfo'), ...other });
    const before = await Promise.all(others.map((other) => stored(other)));
    await grants.saveAuthorization(authorization('base', DAY_MS));
    await grants.saveAuthorization(authorization('base', 2 * DAY_MS));
    expect(await Promise.all(others.map((other) => stored(other)))).toEqual(before);
    expect(await countRows()).toBe(3);
  });
});

describe('a further authorization', () => {
  const consented = async (): Promise<WechatGrant> => {
    const grant = await grants.saveAuthorization(authorization('userinfo', 0, { unionid: 'u-1' }));
    await grants.saveUserInfo(grant, USER_INFO, after(1_000));
    await grants.markSignedIn(grant, after(2_000));
    return stored();
  };

  it('that is silent replaces the pair, and neither consent nor profile', async () => {
    const before = await consented();
    await grants.saveAuthorization(authorization('base', DAY_MS));
    const row = await stored();
    expect(row).toEqual(
      but(before, {
        pairVersion: 2,
        pairScope: 'base',
        authorizedAt: after(DAY_MS),
        pairAbility: 'unknown',
        sealedTokens: row.sealedTokens,
        accessTokenExpiresAt: after(DAY_MS + 7_200_000),
        refreshTokenExpiresAt: after(31 * DAY_MS),
        refreshDueAt: after(DAY_MS + 7_200_000 - 10 * MINUTE_MS),
      }),
    );
    expect(grants.openTokens(row)).toEqual({
      accessToken: `ACCESS-base-${DAY_MS}`,
      refreshToken: `REFRESH-base-${DAY_MS}`,
    });
    expect(grants.openUserInfo(row)).toEqual(USER_INFO);
  });

  it('with consent renews the consent, and keeps the profile and the first day', async () => {
    const before = await consented();
    await grants.saveAuthorization(authorization('userinfo', DAY_MS));
    const row = await stored();
    expect(row).toEqual(
      but(before, {
        pairVersion: 2,
        authorizedAt: after(DAY_MS),
        sealedTokens: row.sealedTokens,
        accessTokenExpiresAt: after(DAY_MS + 7_200_000),
        refreshTokenExpiresAt: after(31 * DAY_MS),
        consentedAt: after(DAY_MS),
        consentExpiresAt: after(31 * DAY_MS),
        refreshDueAt: after(DAY_MS + 7_200_000 - 10 * MINUTE_MS),
        consentReviewAt: after(28 * DAY_MS),
      }),
    );
  });

  it('brings a pair that was given up back to life', async () => {
    await consented();
    await dataSource.query(`UPDATE wechat_grant SET pair_status = 'dead', pair_ability = 'unable'`);
    await grants.saveAuthorization(authorization('userinfo', DAY_MS));
    expect(await stored()).toMatchObject({ pairStatus: 'alive', pairAbility: 'able' });
  });

  it('keeps the unionid where WeChat leaves it out, and takes the new one where it does not', async () => {
    await consented();
    await grants.saveAuthorization(authorization('base', DAY_MS));
    expect((await stored()).unionid).toBe('u-1');
    await grants.saveAuthorization(authorization('base', 2 * DAY_MS, { unionid: 'u-2' }));
    expect((await stored()).unionid).toBe('u-2');
  });

  it('hands back the row as it is stored', async () => {
    await consented();
    const saved = await grants.saveAuthorization(authorization('base', DAY_MS));
    expect(saved).toEqual(await stored());
  });
});

describe('whether a pair may read the profile', () => {
  const consentLifeMs = 30 * DAY_MS;

  it.each<[string, WechatScope | undefined, WechatScope, number, string]>([
    ['able: the first, with consent', undefined, 'userinfo', 0, 'able'],
    ['unable: the first, silent', undefined, 'base', 0, 'unable'],
    ['able: with consent, after a consent', 'userinfo', 'userinfo', DAY_MS, 'able'],
    ['able: with consent, after a silent one', 'base', 'userinfo', DAY_MS, 'able'],
    ['unable: silent, after a silent one', 'base', 'base', DAY_MS, 'unable'],
    ['unknown: silent, with live consent', 'userinfo', 'base', DAY_MS, 'unknown'],
    ['unknown: silent, in the last moment of the consent', 'userinfo', 'base', consentLifeMs - 1, 'unknown'],
    ['unable: silent, in the moment the consent ends', 'userinfo', 'base', consentLifeMs, 'unable'],
    ['unable: silent, long after the consent', 'userinfo', 'base', 2 * consentLifeMs, 'unable'],
    ['able: with consent, after an expired one', 'userinfo', 'userinfo', 2 * consentLifeMs, 'able'],
  ])('%s', async (_, earlier, scope, afterMs, ability) => {
    if (earlier) await grants.saveAuthorization(authorization(earlier));
    await grants.saveAuthorization(authorization(scope, afterMs));
    expect((await stored()).pairAbility).toBe(ability);
  });

  it('unable: silent, after a consent that WeChat has ended', async () => {
    const grant = await grants.saveAuthorization(authorization('userinfo'));
    await grants.markUnable(grant, after(DAY_MS));
    await grants.saveAuthorization(authorization('base', DAY_MS));
    expect((await stored()).pairAbility).toBe('unable');
  });
});

describe('what ends when', () => {
  it('each token lives from before the request was sent, as long as WeChat and the account say', async () => {
    await grants.saveAuthorization(
      authorization('base', 5 * MINUTE_MS, {
        accessTokenLifetimeMs: 5 * MINUTE_MS,
        refreshTokenLifetimeMs: 7 * DAY_MS,
      }),
    );
    expect(await stored()).toMatchObject({
      accessTokenExpiresAt: after(10 * MINUTE_MS),
      refreshTokenExpiresAt: after(7 * DAY_MS + 5 * MINUTE_MS),
    });
  });

  it('a consent lives for 30 days, however long the refresh token does', async () => {
    await grants.saveAuthorization(authorization('userinfo', 0, { refreshTokenLifetimeMs: DAY_MS }));
    const grant = await stored();
    expect(grant.consentExpiresAt).toEqual(after(30 * DAY_MS));
    expect(isConsentLive(grant, after(30 * DAY_MS - 1))).toBe(true);
    expect(isConsentLive(grant, after(30 * DAY_MS))).toBe(false);
  });

  it('a user who was never asked has no consent', async () => {
    expect(isConsentLive(await grants.saveAuthorization(authorization('base')), START)).toBe(false);
  });

  it('a pair is alive until its refresh token ends, and while nothing was heard against it', async () => {
    const grant = await grants.saveAuthorization(
      authorization('base', 0, { refreshTokenLifetimeMs: DAY_MS }),
    );
    expect(isPairAlive(grant, after(DAY_MS - 1))).toBe(true);
    expect(isPairAlive(grant, after(DAY_MS))).toBe(false);
    for (const pairStatus of ['suspect', 'dead'] as const) {
      expect(isPairAlive(but(grant, { pairStatus }), START)).toBe(false);
    }
  });
});

describe('when many write at once', () => {
  // With ten at once, the last to get through has lost nine races, which is what a writer puts up with.
  const WRITERS = 10;

  it.each([
    ['on the first row', false],
    ['on a row that is there', true],
  ])('each authorization counts once, %s', async (_, exists) => {
    const other = await connect();
    try {
      const instances = [grants, new GrantRepository(other, sealer)];
      if (exists) await grants.saveAuthorization(authorization('base'));
      const saved = await Promise.all(
        Array.from({ length: WRITERS }, (_value, index) =>
          instances[index % 2]!.saveAuthorization(authorization('base', index + 1)),
        ),
      );
      const first = exists ? 2 : 1;
      expect(saved.map(({ pairVersion }) => pairVersion).sort((a, b) => a - b)).toEqual(
        Array.from({ length: WRITERS }, (_value, index) => index + first),
      );
      const row = await stored();
      expect(await countRows()).toBe(1);
      expect(row.pairVersion).toBe(first + WRITERS - 1);
      expect(row).toEqual(saved.find(({ pairVersion }) => pairVersion === row.pairVersion));
    } finally {
      await other.destroy();
    }
  });

  it('a consent among silent sign-ins is not lost', async () => {
    const saved = await Promise.all(
      Array.from({ length: WRITERS }, (_, index) =>
        grants.saveAuthorization(authorization(index === 4 ? 'userinfo' : 'base', index)),
      ),
    );
    const row = await stored();
    expect(row.consentExpiresAt).toEqual(after(30 * DAY_MS + 4));
    const consentVersion = saved[4]!.pairVersion;
    for (const { pairVersion, pairScope, pairAbility } of saved) {
      if (pairScope === 'userinfo') expect(pairAbility).toBe('able');
      else expect(pairAbility).toBe(pairVersion > consentVersion ? 'unknown' : 'unable');
    }
  });

  /**
   * Another instance writes to the row after a further authorization has read it and before it is written: its
   * transaction holds the row, until PostgreSQL reports that somebody waits.
   */
  async function duringAuthorization(
    next: GrantedAuthorization,
    write: (grants: GrantRepository, row: WechatGrant) => Promise<unknown>,
  ): Promise<void> {
    const other = await connect();
    const runner = other.createQueryRunner();
    try {
      await runner.startTransaction();
      await runner.query('SELECT 1 FROM wechat_grant FOR UPDATE');
      const saving = grants.saveAuthorization(next);
      await somebodyWaits();
      await write(new GrantRepository(runner.manager as unknown as DataSource, sealer), await stored());
      await runner.commitTransaction();
      await saving;
    } finally {
      await runner.release();
      await other.destroy();
    }
  }

  async function somebodyWaits(): Promise<void> {
    const runner: QueryRunner = dataSource.createQueryRunner();
    try {
      for (;;) {
        const [row] = (await runner.query(
          `SELECT count(*)::int AS waiting FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        )) as [{ waiting: number }];
        if (row.waiting > 0) return;
      }
    } finally {
      await runner.release();
    }
  }

  it.each<[string, (instance: GrantRepository, row: WechatGrant) => Promise<unknown>, Partial<WechatGrant>]>([
    [
      'a profile that was just read',
      (instance, row) => instance.saveUserInfo(row, { ...USER_INFO, unionid: 'u-7' }, after(7)),
      { userInfoFetchedAt: after(7), unionid: 'u-7' },
    ],
    [
      'the end of the consent',
      (instance, row) => instance.markUnable(row, after(7)),
      { consentExpiresAt: after(7) },
    ],
    [
      'a completed sign-in',
      (instance, row) => instance.markSignedIn(row, after(7)),
      { signedInAt: after(7) },
    ],
  ])('a silent authorization does not undo %s', async (_, write, kept) => {
    await grants.saveAuthorization(authorization('userinfo'));
    await duringAuthorization(authorization('base', DAY_MS), write);
    const row = await stored();
    expect(row).toMatchObject({ pairVersion: 2, pairScope: 'base', ...kept });
    expect(grants.openUserInfo(row)?.nickname).toBe(
      'userInfoFetchedAt' in kept ? USER_INFO.nickname : undefined,
    );
  });

  it('a silent authorization does not undo a consent that came in between', async () => {
    await grants.saveAuthorization(authorization('base'));
    await duringAuthorization(authorization('base', DAY_MS), async (instance) => {
      await instance.saveAuthorization(authorization('userinfo', DAY_MS - 1));
    });
    expect(await stored()).toMatchObject({
      pairVersion: 3,
      pairScope: 'base',
      pairAbility: 'unknown',
      consentedAt: after(DAY_MS - 1),
      consentExpiresAt: after(31 * DAY_MS - 1),
    });
  });
});

describe('when WeChat refuses the profile', () => {
  it('to a pair that came with a consent, the consent has ended', async () => {
    const grant = await grants.saveAuthorization(authorization('userinfo'));
    expect(await grants.markUnable(grant, after(DAY_MS))).toBe(true);
    const row = await stored();
    expect(row).toEqual(
      but(grant, {
        pairAbility: 'unable',
        refreshDueAt: null,
        consentExpiresAt: after(DAY_MS),
        consentNotice: 'required',
        consentReviewAt: null,
      }),
    );
    expect(isConsentLive(row, after(DAY_MS))).toBe(false);
  });

  it('to one pair on two instances, the host is told by one of them', async () => {
    const grant = await grants.saveAuthorization(authorization('userinfo'));
    const answers = await Promise.all([
      grants.markUnable(grant, after(DAY_MS)),
      grants.markUnable(grant, after(DAY_MS + 1)),
    ]);
    expect(answers.sort()).toEqual([false, true]);
  });

  it('to a pair that was issued silently, only this pair is not enough', async () => {
    await grants.saveAuthorization(authorization('userinfo'));
    const grant = await grants.saveAuthorization(authorization('base', DAY_MS));
    expect(await grants.markUnable(grant, after(2 * DAY_MS))).toBe(false);
    expect(await stored()).toEqual(but(grant, { pairAbility: 'unable', refreshDueAt: null }));
  });

  it.each<WechatScope>(['base', 'userinfo'])(
    'to a pair that is not the current one (%s), nothing is to be noted',
    async (scope) => {
      const stale = await grants.saveAuthorization(authorization(scope));
      const current = await grants.saveAuthorization(authorization('userinfo', DAY_MS));
      await grants.markUnable(stale, after(2 * DAY_MS));
      expect(await stored()).toEqual(current);
    },
  );

  it('to one user, no other user is touched', async () => {
    const other = { ...KEY, openid: 'oOther' };
    await grants.saveAuthorization({ ...authorization('userinfo'), ...other });
    const grant = await grants.saveAuthorization(authorization('userinfo'));
    const before = await stored(other);
    await grants.markUnable(grant, after(DAY_MS));
    await grants.saveUserInfo(grant, USER_INFO, after(DAY_MS));
    await grants.markSignedIn(grant, after(DAY_MS));
    expect(await stored(other)).toEqual(before);
  });
});

describe('when WeChat rejects the pair itself', () => {
  async function rejectedAt(...afterMs: number[]): Promise<WechatGrant> {
    const grant = await grants.saveAuthorization(authorization('userinfo'));
    for (const ms of afterMs) await grants.markRejected(grant, after(ms));
    return (await grants.find(KEY)) as WechatGrant;
  }

  it.each<[string, number[], string]>([
    ['is suspect at once', [0], 'suspect'],
    ['stays suspect however often it is rejected within five minutes', [0, 1, 5 * MINUTE_MS - 1], 'suspect'],
    ['is dead when it is rejected again five minutes later', [0, 5 * MINUTE_MS], 'dead'],
  ])('it %s, and the consent stays', async (_, afterMs, status) => {
    const grant = await rejectedAt(...afterMs);
    expect([grant.pairStatus, isPairAlive(grant, after(0)), isConsentLive(grant, after(DAY_MS))]).toEqual([
      status,
      false,
      true,
    ]);
  });

  it('it may be tried again after five minutes, and lives again if that works', async () => {
    const grant = await rejectedAt(0);
    expect([mayTryPair(grant, after(5 * MINUTE_MS - 1)), mayTryPair(grant, after(5 * MINUTE_MS))]).toEqual([
      false,
      true,
    ]);
    await grants.saveUserInfo(grant, USER_INFO, after(5 * MINUTE_MS));
    const mended = await grants.find(KEY);
    expect([mended?.pairStatus, mended?.pairSuspectSince]).toEqual(['alive', null]);
    const dead = await rejectedAt(0, 5 * MINUTE_MS);
    expect(mayTryPair(dead, after(DAY_MS))).toBe(false);
  });

  it('says nothing of a pair that has come since', async () => {
    const old = await grants.saveAuthorization(authorization('userinfo'));
    await grants.saveAuthorization(authorization('base', MINUTE_MS));
    await grants.markRejected(old, after(2 * MINUTE_MS));
    expect((await grants.find(KEY))?.pairStatus).toBe('alive');
  });
});

describe('a profile', () => {
  it('is kept whole, emoji included, with the time it was read', async () => {
    const grant = await grants.saveAuthorization(authorization('base'));
    await grants.saveUserInfo(grant, USER_INFO, after(5));
    const row = await stored();
    expect(grants.openUserInfo(row)).toEqual(USER_INFO);
    expect(row).toEqual(
      but(grant, { pairAbility: 'able', sealedUserInfo: row.sealedUserInfo, userInfoFetchedAt: after(5) }),
    );
  });

  it('that was read with a pair since replaced is kept, and says nothing of the new pair', async () => {
    const stale = await grants.saveAuthorization(authorization('userinfo'));
    await grants.saveAuthorization(authorization('base', DAY_MS));
    await grants.saveUserInfo(stale, USER_INFO, after(DAY_MS + 5));
    const row = await stored();
    expect(grants.openUserInfo(row)).toEqual(USER_INFO);
    expect(row).toMatchObject({
      pairAbility: 'unknown',
      pairVersion: 2,
      userInfoFetchedAt: after(DAY_MS + 5),
    });
  });

  it('replaces the one before', async () => {
    const grant = await grants.saveAuthorization(authorization('userinfo'));
    await grants.saveUserInfo(grant, USER_INFO, after(5));
    await grants.saveUserInfo(grant, { ...USER_INFO, nickname: '大明' }, after(6));
    expect(grants.openUserInfo(await stored())).toEqual({ ...USER_INFO, nickname: '大明' });
  });

  it('brings its unionid along, and without one leaves the one that is known', async () => {
    const grant = await grants.saveAuthorization(authorization('userinfo'));
    await grants.saveUserInfo(grant, { ...USER_INFO, unionid: 'u-1' }, after(5));
    expect((await stored()).unionid).toBe('u-1');
    await grants.saveUserInfo(grant, USER_INFO, after(6));
    expect((await stored()).unionid).toBe('u-1');
  });

  it('is undefined where none was read yet', async () => {
    expect(grants.openUserInfo(await grants.saveAuthorization(authorization('userinfo')))).toBeUndefined();
  });
});

describe('at rest', () => {
  async function save(): Promise<WechatGrant> {
    const grant = await grants.saveAuthorization(authorization('userinfo'));
    await grants.saveUserInfo(grant, USER_INFO, after(5));
    return stored();
  }

  it('no token and nothing of the profile can be read anywhere in the row', async () => {
    const grant = await save();
    expect(grants.openTokens(grant)).toEqual({
      accessToken: 'ACCESS-userinfo-0',
      refreshToken: 'REFRESH-userinfo-0',
    });
    const [row] = await dataSource.query<[{ text: string }]>(
      'SELECT row_to_json(wechat_grant)::text AS text FROM wechat_grant',
    );
    expect(row.text).toContain(KEY.openid);
    const secrets = ['ACCESS', 'REFRESH', '小明', 'qlogo', 'chinaunicom'];
    const forms = secrets.flatMap((secret) => [
      secret,
      ...['base64', 'base64url', 'hex'].map((encoding) =>
        Buffer.from(secret)
          .toString(encoding as BufferEncoding)
          .slice(0, 6),
      ),
    ]);
    expect(forms.filter((form) => row.text.includes(form))).toEqual([]);
  });

  it.each([
    ['another user of the account', { ...KEY, openid: 'oOther' }],
    ['the user of that name at another account', { ...KEY, appId: 'wxfedcba9876543210' }],
  ])('a sealed text copied into another row does not open there: of %s', async (_, other) => {
    const grant = await save();
    await grants.saveAuthorization({ ...authorization('userinfo'), ...other });
    await dataSource.query(
      `UPDATE wechat_grant SET sealed_tokens = $1, sealed_user_info = $2 WHERE app_id = $3 AND openid = $4`,
      [grant.sealedTokens, grant.sealedUserInfo, other.appId, other.openid],
    );
    const thief = await stored(other);
    expect(thief.sealedTokens).toBe(grant.sealedTokens);
    expect(() => grants.openTokens(thief)).toThrow(SealError);
    expect(() => grants.openUserInfo(thief)).toThrow(SealError);
  });

  it('tokens do not open as a profile, nor a profile as tokens', async () => {
    const grant = await save();
    const swapped = but(grant, {
      sealedUserInfo: grant.sealedTokens,
      sealedTokens: String(grant.sealedUserInfo),
    });
    expect(() => grants.openUserInfo(swapped)).toThrow(SealError);
    expect(() => grants.openTokens(swapped)).toThrow(SealError);
  });

  it('what was sealed with a key that is not known here is said to be so', async () => {
    const elsewhere = new GrantRepository(
      dataSource,
      new Sealer([{ kid: 'k2', secret: Buffer.alloc(32, 2) }], new SystemRandomness()),
    );
    const grant = await save();
    expect(() => elsewhere.openTokens(grant)).toThrow(expect.objectContaining({ code: 'unknown_key' }));
    expect(() => elsewhere.openUserInfo(grant)).toThrow(expect.objectContaining({ code: 'unknown_key' }));
  });

  it('the same tokens look different each time', async () => {
    const { sealedTokens } = await save();
    await grants.saveAuthorization(authorization('userinfo'));
    const again = await stored();
    expect(again.sealedTokens).not.toBe(sealedTokens);
    expect(grants.openTokens(again).accessToken).toBe('ACCESS-userinfo-0');
  });
});

describe('a completed sign-in', () => {
  it('is noted with its time, and changes nothing else', async () => {
    const grant = await grants.saveAuthorization(authorization('base'));
    await grants.markSignedIn(grant, after(7));
    expect(await stored()).toEqual(but(grant, { signedInAt: after(7) }));
    await grants.saveAuthorization(authorization('base', DAY_MS));
    expect((await stored()).signedInAt).toEqual(after(7));
  });
});

describe('a user who was never here', () => {
  it('has no grant', async () => {
    expect(await grants.find(KEY)).toBeNull();
  });
});
