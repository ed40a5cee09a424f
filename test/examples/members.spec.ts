import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type INestApplication, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { createWechatEmulator, type WechatEmulator } from '../../src/emulator/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { freePort, TEST_KEY } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

interface MemberRow {
  openid: string;
  points: number;
  is_welcomed: boolean;
}

/** Starts an example the way `node` would; it reads the environment. By its path: it is no part of this project. */
async function startExample(name: string, environment: Record<string, string>): Promise<INestApplication> {
  Object.assign(process.env, environment);
  const main = resolve(import.meta.dirname, '../../examples', name, 'main.ts');
  return ((await import(main)) as { app: INestApplication }).app;
}

describe('the example whose own members table is linked to WeChat', () => {
  let wechat: WechatEmulator;
  let database: TestDatabase;
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    wechat = await createWechatEmulator();
    database = await createTestDatabase();
    const port = String(await freePort());
    url = `http://127.0.0.1:${port}`;
    const [account] = wechat.apps;
    app = await startExample('members', {
      PORT: port,
      DATABASE_URL: database.url,
      WECHAT_APP_ID: account?.appId ?? '',
      WECHAT_APP_SECRET: account?.appSecret ?? '',
      WECHAT_PUBLIC_URL: url,
      WECHAT_AUTH_KEYS: TEST_KEY,
      WECHAT_OPEN_BASE_URL: wechat.openBaseUrl,
      WECHAT_API_BASE_URL: wechat.apiBaseUrl,
    });
  });
  beforeEach(() => query('DELETE FROM member'));
  afterAll(async () => {
    await app.close();
    await wechat.close();
    await database.drop();
  });

  const openids = (): string[] => wechat.users.map(({ openid }) => openid);
  const query = <Row>(sql: string): Promise<Row[]> => app.get(DataSource).query<Row[]>(sql);
  const members = (): Promise<MemberRow[]> =>
    query('SELECT openid, points, is_welcomed FROM member ORDER BY id');

  /** A browser of this user of WeChat's. */
  async function browserOf(openid: string): Promise<Visitor> {
    const visitor = new Visitor();
    await visitor.fetch(`${wechat.url}/emulator/switch-user`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ openid }).toString(),
    });
    return visitor;
  }

  it('has a table that fits its entity', async () => {
    const { upQueries } = await app.get(DataSource).driver.createSchemaBuilder().log();
    expect(upQueries.filter(({ query }) => query.includes('"member"'))).toEqual([]);
  });

  it('signs two people in, from two browsers each and all at once, as two members', async () => {
    const [first = '', second = ''] = openids();
    // Nobody's row is written until everybody has found that there is none.
    const lock = app.get(DataSource).createQueryRunner();
    await lock.startTransaction();
    await lock.query('LOCK TABLE member IN SHARE MODE');
    const visiting = Promise.all(
      [first, second, first, second].map(async (openid) => (await browserOf(openid)).open(`${url}/card`)),
    );
    const writers = "SELECT 1 FROM pg_locks WHERE relation = 'member'::regclass AND NOT granted";
    while ((await query(writers)).length < 4) await setImmediate();
    await lock.commitTransaction();
    await lock.release();

    const cards = (await visiting).map(({ body }) => JSON.parse(body) as { id: number });
    expect(cards.map(({ id }) => id)).toEqual([cards[0]?.id, cards[1]?.id, cards[0]?.id, cards[1]?.id]);
    const rows = await members();
    expect(rows.map(({ openid }) => openid).sort()).toEqual([first, second].sort());
    // Given once each, though both browsers of each were the first.
    expect(rows.map(({ points }) => points)).toEqual([10, 10]);
  });

  it('shows its start page to everybody, and a nickname after consent', async () => {
    const [openid = ''] = openids();
    const visitor = await browserOf(openid);
    const home = await visitor.open(url);
    expect([home.status, home.trail]).toEqual([200, [url]]);
    const visit = await visitor.answerConsent(
      await visitor.press(await visitor.open(`${url}/badge`)),
      'allow',
    );
    expect(JSON.parse(visit.body)).toMatchObject({ nickname: wechat.users[0]?.nickname });
  });

  it('turns a blocked member away, at the sign-in and where a session is still good', async () => {
    const [openid = ''] = openids();
    const visitor = await browserOf(openid);
    expect((await visitor.open(`${url}/card`)).status).toBe(200);
    await query('UPDATE member SET is_blocked = true');
    expect((await visitor.open(`${url}/card`)).status).toBe(403);
    const refused = await (await browserOf(openid)).open(`${url}/card`);
    expect([refused.status, refused.body.includes('<h1>无法登录')]).toEqual([403, true]);
    expect(new URL(refused.url).pathname).toBe('/wechat/callback');
  });

  it('makes a member of whoever comes with a session from before the table', async () => {
    const [openid = ''] = openids();
    const visitor = await browserOf(openid);
    await visitor.open(`${url}/card`);
    await query('DELETE FROM member');
    expect((await visitor.open(`${url}/card`)).status).toBe(200);
    expect(await members()).toMatchObject([{ openid, is_welcomed: false }]);
  });

  it('keeps a virtual user out of the table', async () => {
    const [, , openid = ''] = openids();
    await wechat.user(openid).snapshot(true);
    const visitor = await browserOf(openid);
    const visit = await visitor.open(`${url}/wechat/sign-in?scope=userinfo&asked=1&return_to=/card`);
    expect([visit.status, visit.url]).toEqual([403, `${url}/card`]);
    expect(visit.body).toContain('使用完整服务');
    expect(await members()).toEqual([]);
  });
});
