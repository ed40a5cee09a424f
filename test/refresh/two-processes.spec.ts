import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Tally } from '../support/instance/instance.main.js';
import { InstanceProcess } from '../support/instance/instance.process.js';
import { TEST_KEY, type TestInstance, TestWorld } from '../support/test-app.js';
import { AnswerGate } from './answer.gate.js';
import {
  ACCESS_TOKEN_MS,
  accessTokenIn,
  databaseNow,
  grant,
  refreshesAt,
  stored,
  untilLeaseIsTried,
} from './refresh.harness.js';

const CALLERS = 500;
const POOL_SIZE = 2;
/** Nobody gives up while WeChat's answer is held back. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Whoever asks WeChat for a caller has the grant for no longer than this. */
const LEASE_MS = 2 * (REQUEST_TIMEOUT_MS + 5_000);

describe('getAccessToken in two processes', () => {
  let world: TestWorld;
  let gate: AnswerGate;
  let desk: TestInstance;
  let one: InstanceProcess;
  let two: InstanceProcess;
  let openid: string;

  beforeAll(async () => {
    world = await TestWorld.create();
    gate = await AnswerGate.start(world.wechat.apiBaseUrl);
    desk = await world.start();
    openid = world.wechat.users[0]?.openid ?? '';
  });
  beforeEach(async () => {
    await world.reset();
    await world.query('DELETE FROM wechat_account_state; DELETE FROM wechat_quota');
    [one, two] = await Promise.all([start('one'), start('two')]);
  });
  afterEach(async () => {
    gate.open();
    await Promise.all([one.kill(), two.kill()]);
  });
  afterAll(async () => {
    await gate.close();
    await world.close();
  });

  async function start(name: string): Promise<InstanceProcess> {
    const [account] = world.wechat.apps;
    return InstanceProcess.start({
      name,
      databaseUrl: world.database.url,
      poolSize: POOL_SIZE,
      aheadMs: world.clock.now().getTime() - Date.now(),
      logLevels: ['fatal'],
      module: {
        appId: account?.appId ?? '',
        appSecret: account?.appSecret ?? '',
        publicUrl: 'http://127.0.0.1:3000',
        keys: TEST_KEY,
        openBaseUrl: world.wechat.openBaseUrl,
        apiBaseUrl: gate.url,
        requestTimeoutMs: REQUEST_TIMEOUT_MS,
        refresh: false,
      },
    });
  }

  async function turnClock(ms: number, processes: InstanceProcess[]): Promise<void> {
    world.clock.advance(ms);
    await Promise.all(processes.map((instance) => instance.ask('advanceClock', ms)));
  }

  /** @returns a row whose access token has just ended. */
  async function expiredGrant() {
    const row = await grant(world, desk, openid);
    await turnClock(ACCESS_TOKEN_MS, [one, two]);
    return row;
  }

  const ask = (instance: InstanceProcess): Promise<Tally> => instance.ask('getAccessTokens', openid, CALLERS);

  /** In both processes callers ask at once, and WeChat has got one refresh that it does not answer yet. */
  async function askInBoth(): Promise<Promise<Tally>[]> {
    gate.shut();
    const since = await databaseNow(world);
    const asked = [ask(one), ask(two)];
    await gate.until(1);
    await untilLeaseIsTried(world, since, 'one');
    await untilLeaseIsTried(world, since, 'two');
    return asked;
  }

  it('refreshes once for a thousand who ask at the same time, and gives all of them the same token', async () => {
    const row = await expiredGrant();
    const asked = await askInBoth();
    gate.open();
    const tallies = await Promise.all(asked);
    const token = accessTokenIn(desk, await stored(desk, row));
    expect(tallies).toEqual([{ [token]: CALLERS }, { [token]: CALLERS }]);
    expect(token).not.toBe(accessTokenIn(desk, row));
    expect(refreshesAt(world)).toHaveLength(1);
  });

  it('holds no connection while it waits, neither for WeChat nor for the other process', async () => {
    await expiredGrant();
    const asked = await askInBoth();
    const pools = await Promise.all([one, two].map((instance) => instance.ask('takeWholePool')));
    expect(pools).toEqual([POOL_SIZE, POOL_SIZE]);
    gate.open();
    await Promise.all(asked);
  });

  it('shares a failure among all who ask at the same time', async () => {
    await expiredGrant();
    await world.wechat.failNext('refresh', { status: 503 });
    const asked = await askInBoth();
    gate.open();
    const tallies = await Promise.all(asked);
    expect(tallies).toHaveLength(2);
    expect(tallies).toContainEqual({ 'failed: WechatResponseError unreachable': CALLERS });
    expect(tallies).toContainEqual({ 'failed: WechatRefreshError refresh_failed': CALLERS });
    expect(refreshesAt(world)).toHaveLength(1);
  });

  it('replaces a process that was killed over a refresh, as soon as its lease ends and not earlier', async () => {
    const row = await expiredGrant();
    gate.shut();
    const since = await databaseNow(world);
    const lost = ask(one).catch((error: unknown) => error);
    await gate.until(1);
    const waiting = ask(two);
    await untilLeaseIsTried(world, since, 'two');
    await one.kill();
    expect(await lost).toBeInstanceOf(Error);

    await turnClock(LEASE_MS - 5_000, [two]);
    await untilLeaseIsTried(world, undefined, 'two');
    await untilLeaseIsTried(world, undefined, 'two');
    expect(refreshesAt(world)).toHaveLength(1);

    gate.open();
    await turnClock(5_000, [two]);
    const tally = await waiting;
    const token = accessTokenIn(desk, await stored(desk, row));
    expect(tally).toEqual({ [token]: CALLERS });
    expect(refreshesAt(world)).toHaveLength(2);
    const answer = await fetch(`${world.wechat.apiBaseUrl}/sns/auth?access_token=${token}&openid=${openid}`);
    expect(await answer.json()).toMatchObject({ errcode: 0 });
  });
});
