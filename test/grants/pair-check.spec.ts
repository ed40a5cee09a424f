import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { GrantRepository, PairCheck } from '../../src/grants/grant.repository.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { APP_ID, authorization, K1, SealedGrants, START } from './sealed-grants.js';

function after(ms: number): Date {
  return new Date(START.getTime() + ms);
}

/** An authorization whose answer took 100 ms, and what WeChat says of its pair. */
function check(...answers: (boolean | undefined)[]): PairCheck & { asked: number } {
  return {
    asked: 0,
    answeredAt: after(100),
    isAlive() {
      return Promise.resolve(answers[this.asked++]);
    },
  };
}

describe('an authorization of a user who is authorized elsewhere too', () => {
  let database: TestDatabase;
  let table: SealedGrants;
  let grants: GrantRepository;

  beforeAll(async () => {
    database = await createTestDatabase();
    table = await SealedGrants.create(database.url);
    grants = table.with(K1);
  });
  afterAll(async () => {
    await table.close();
    await database.drop();
  });

  it('asks nothing for the first one of a user, and nothing where the one before was over', async () => {
    const first = check(false);
    await grants.saveAuthorization(authorization('o1', 1), first);
    const second = check(false);
    const saved = await grants.saveAuthorization(
      { ...authorization('o1', 2), requestedAt: after(101) },
      second,
    );
    expect([first.asked, second.asked]).toEqual([0, 0]);
    expect(grants.openTokens(saved).accessToken).toBe('ACCESS-o1-2');
  });

  it('asks where the one before was answered in the same millisecond in which it was sent', async () => {
    await grants.saveAuthorization(authorization('o2', 1), check());
    const second = check(true);
    await grants.saveAuthorization({ ...authorization('o2', 2), requestedAt: after(100) }, second);
    expect(second.asked).toBe(1);
  });

  it('asks nothing about a pair of which is not known when it was authorized', async () => {
    await grants.saveAuthorization(authorization('o3', 1), check());
    await table.dataSource.query(`UPDATE wechat_grant SET authorized_at = NULL WHERE openid = 'o3'`);
    const second = check(false);
    await grants.saveAuthorization(authorization('o3', 2), second);
    expect(second.asked).toBe(0);
  });

  it.each([
    [true, { pairVersion: 2, pairStatus: 'alive', pairSuspectSince: null }, 'ACCESS-o4-2'],
    [false, { pairVersion: 1, pairStatus: 'alive', pairSuspectSince: null }, 'ACCESS-o4-1'],
    [undefined, { pairVersion: 2, pairStatus: 'suspect', pairSuspectSince: after(100) }, 'ACCESS-o4-2'],
  ])('where WeChat says %s of its pair, leaves %o', async (answer, columns, accessToken) => {
    await table.dataSource.query(`DELETE FROM wechat_grant WHERE openid = 'o4'`);
    await grants.saveAuthorization(authorization('o4', 1), check());
    const saved = await grants.saveAuthorization(authorization('o4', 2), check(answer));
    expect(saved).toMatchObject({ ...columns, refreshFailures: 0 });
    expect(await grants.find({ appId: APP_ID, openid: 'o4' })).toEqual(saved);
    expect(grants.openTokens(saved).accessToken).toBe(accessToken);
  });

  it.each([
    ['alive', 'unable', { pairAbility: 'unknown' }],
    ['alive', 'able', { pairAbility: 'able' }],
    ['dead', 'unable', { pairAbility: 'unable', refreshDueAt: null }],
  ])(
    'of a dead pair leaves the consent, beside a pair that is %s and %s',
    async (status, ability, columns) => {
      await table.dataSource.query(`DELETE FROM wechat_grant WHERE openid = 'o5'`);
      await grants.saveAuthorization({ ...authorization('o5', 1), scope: 'base' }, check());
      await table.dataSource.query(
        `UPDATE wechat_grant SET pair_status = $1, pair_ability = $2 WHERE openid = 'o5'`,
        [status, ability],
      );
      const consent = { ...authorization('o5', 2), unionid: 'u-5' };
      expect(await grants.saveAuthorization(consent, check(false))).toMatchObject({
        pairVersion: 1,
        pairScope: 'base',
        unionid: 'u-5',
        consentedAt: START,
        consentNotice: null,
        ...columns,
      });
    },
  );

  it('of a dead pair leaves nothing where the consent that is stored is newer', async () => {
    await grants.saveAuthorization({ ...authorization('o6', 1), requestedAt: after(50) }, check());
    const before = await grants.find({ appId: APP_ID, openid: 'o6' });
    await grants.saveAuthorization(authorization('o6', 2), check(false));
    expect(await grants.find({ appId: APP_ID, openid: 'o6' })).toEqual(before);
  });

  it('asks three times at the most where others go on writing', async () => {
    await grants.saveAuthorization(authorization('o7', 1), check());
    let asked = 0;
    const saved = await grants.saveAuthorization(authorization('o7', 2), {
      answeredAt: after(100),
      async isAlive() {
        asked += 1;
        await grants.saveAuthorization(authorization('o7', 2 + asked), check(true));
        return true;
      },
    });
    expect(asked).toBe(3);
    expect(saved).toMatchObject({ pairVersion: 5, pairStatus: 'suspect' });
  });
});
