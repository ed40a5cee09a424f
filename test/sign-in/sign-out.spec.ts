import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';
import {
  copyCookies,
  GoodbyeController,
  isInvitation,
  poll,
  signOut,
  stay,
  untilCallback,
} from './sign-out.harness.js';

describe.each(PLATFORMS)('who has signed out, with two instances, on %s', (platform) => {
  let world: TestWorld;
  let one: TestInstance;
  /** Behind the same public URL. */
  let two: TestInstance;
  let visitor: Visitor;

  beforeAll(async () => {
    world = await TestWorld.create();
    one = await world.start({ platform, controllers: [GoodbyeController] });
    two = await world.start({ platform, module: { publicUrl: one.url } });
  });
  beforeEach(async () => {
    await world.reset();
    visitor = new Visitor();
    expect((await visitor.open(`${one.url}/hello`)).status).toBe(200);
  });
  afterAll(() => world.close());

  async function statusAt(instance: TestInstance, from: Visitor): Promise<number> {
    return (await from.fetch(`${instance.url}/hello`)).status;
  }

  function exchanges(): number {
    return world.wechat.requests.filter(({ endpoint }) => endpoint === 'token').length;
  }

  function sessionCookies(lines: readonly string[]): string[] {
    return lines.filter((line) => line.includes('wechat_session_') && !/max-age=0/i.test(line));
  }

  it.each([
    ['by the route', 'wechat/sign-out'],
    ['by the service', 'goodbye'],
  ])('%s is out at once here, and on the other instance after its next look', async (_way, path) => {
    const copy = copyCookies(visitor, new Visitor(), one.url);
    expect(await statusAt(two, copy)).toBe(200);
    expect((await visitor.fetch(`${one.url}/${path}`, { method: 'POST' })).status).toBeLessThan(300);
    expect(await statusAt(one, visitor)).toBe(401);
    expect(await statusAt(one, copy)).toBe(401);

    await poll(two);
    expect(await statusAt(two, copy)).toBe(401);
  });

  it('is out on an instance that starts later, from its first request on', async () => {
    const copy = copyCookies(visitor, new Visitor(), one.url);
    await signOut(visitor, one);
    const third = await world.start({ platform, module: { publicUrl: one.url } });
    expect(await statusAt(third, copy)).toBe(401);
  });

  it('leaves their other browser signed in', async () => {
    const phone = new Visitor();
    await phone.open(`${one.url}/hello`);
    await signOut(visitor, one);
    await poll(two);
    expect(await statusAt(one, phone)).toBe(200);
    expect(await statusAt(two, phone)).toBe(200);
  });

  it('stays out for as long as the session would have lived', async () => {
    const copy = copyCookies(visitor, new Visitor(), one.url);
    await signOut(visitor, one);
    await poll(two);
    world.clock.advance(29 * 24 * 60 * 60_000);
    await poll(one);
    await poll(two);
    expect(await statusAt(one, copy)).toBe(401);
    expect(await statusAt(two, copy)).toBe(401);
    expect(
      (await world.query('SELECT 1 FROM wechat_revocation WHERE expires_at > $1', [world.clock.now()]))
        .length,
    ).toBe(1);
  });

  it('costs a request no statement in the database, whoever it comes from', async () => {
    const other = new Visitor();
    await other.open(`${one.url}/hello`);
    const copy = copyCookies(visitor, new Visitor(), one.url);
    await signOut(visitor, one);
    const statements: string[] = [];
    const dataSource = one.app.get(DataSource, { strict: false });
    dataSource.setOptions({ logging: ['query'], logger: new StatementLog(statements) });
    expect(await statusAt(one, other)).toBe(200);
    expect(await statusAt(one, copy)).toBe(401);
    expect(statements).toEqual([]);
    await poll(one);
    expect(statements).toHaveLength(1);
    dataSource.setOptions({ logging: false });
  });

  it('gets nothing back from a callback in the history, also where a copy of the browser keeps its cookies', async () => {
    const somebody = new Visitor();
    const callback = (await somebody.open(`${one.url}/hello`, untilCallback)).headers['location'] ?? '';
    await somebody.open(callback, stay);
    const copy = copyCookies(somebody, new Visitor(), one.url);
    const exchanged = exchanges();
    expect((await copy.open(callback, stay)).status).toBe(303);
    await signOut(somebody, one);

    for (const instance of [one, two]) {
      const again = await copy.open(callback.replace(one.url, instance.url), stay);
      expect(again.status).not.toBe(303);
      expect(sessionCookies(again.setCookies)).toEqual([]);
    }
    expect(isInvitation(await somebody.open(callback))).toBe(true);
    expect(exchanges()).toBe(exchanged);
  });

  it('gets nothing back from an outcome that could not be deleted', async () => {
    const somebody = new Visitor();
    const callback = (await somebody.open(`${one.url}/hello`, untilCallback)).headers['location'] ?? '';
    await somebody.open(callback, stay);
    const copy = copyCookies(somebody, new Visitor(), one.url);
    await world.query('CREATE TABLE kept AS SELECT * FROM wechat_sign_in');
    await signOut(somebody, one);
    await world.query(
      `UPDATE wechat_sign_in AS s SET openid = k.openid, sealed_outcome = k.sealed_outcome,
         lease_expires_at = k.lease_expires_at FROM kept AS k WHERE s.id = k.id; DROP TABLE kept`,
    );
    await poll(two);
    for (const instance of [one, two]) {
      const again = await copy.open(callback.replace(one.url, instance.url), stay);
      expect(again.status).not.toBe(303);
      expect(sessionCookies(again.setCookies)).toEqual([]);
    }
  });

  it('keeps no outcome of theirs in the database, and others keep theirs', async () => {
    await new Visitor().open(`${one.url}/hello`);
    const outcomes = 'SELECT 1 FROM wechat_sign_in WHERE sealed_outcome IS NOT NULL OR openid IS NOT NULL';
    expect(await world.query(outcomes)).toHaveLength(2);
    await signOut(visitor, one);
    expect(await world.query(outcomes)).toHaveLength(1);
  });

  it('is not signed in by another tab that was at WeChat meanwhile', async () => {
    const callback = (await visitor.open(`${one.url}/wechat/sign-in?return_to=/hello`, untilCallback))
      .headers['location'];
    await signOut(visitor, one);
    const back = await visitor.open(callback ?? '');
    expect(isInvitation(back)).toBe(true);
    expect(await statusAt(one, visitor)).toBe(401);
  });

  it('is not signed in by another tab that gets its session a moment later', async () => {
    const late = copyCookies(visitor, new Visitor(), one.url);
    await late.open(`${one.url}/wechat/sign-in?return_to=/hello`);
    await signOut(visitor, one);
    // A session of which the sign-out knew nothing: its cookie arrives after that of the sign-out.
    for (const [name, value] of late.cookies(one.url)) {
      if (name.startsWith('wechat_session_')) visitor.cookies(one.url).set(name, value);
    }
    expect(await statusAt(one, visitor)).toBe(401);
    expect(await statusAt(two, visitor)).toBe(401);
    expect(isInvitation(await visitor.open(`${one.url}/hello`))).toBe(true);
  });
});

describe.each(PLATFORMS)('a browser whose user has signed out, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;
  let visitor: Visitor;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({ platform, module: { consentText: '我们用头像给你做一张会员卡' } });
  });
  beforeEach(async () => {
    await world.reset();
    visitor = new Visitor();
    await visitor.open(`${site.url}/hello`);
    await signOut(visitor, site);
  });
  afterAll(() => world.close());

  function forgetSession(): void {
    const cookies = visitor.cookies(site.url);
    for (const name of [...cookies.keys()]) if (name.startsWith('wechat_session_')) cookies.delete(name);
  }

  it('gets a page with a button in the place of a protected page, and comes from there to that page', async () => {
    const page = await visitor.open(`${site.url}/hello?tab=2`);
    expect(isInvitation(page)).toBe(true);
    expect([page.url, page.headers['content-type']]).toEqual([
      `${site.url}/hello?tab=2`,
      'text/html; charset=utf-8',
    ]);
    expect(page.headers['cache-control']).toBe('no-store');
    expect(page.body.match(/<a /g)).toHaveLength(1);
    expect(page.body).toContain('微信登录<span lang="en">Sign in with WeChat</span>');
    expect(page.body).not.toContain('会员卡');
    const back = await visitor.press(page);
    expect([back.status, back.url]).toEqual([200, `${site.url}/hello?tab=2`]);
  });

  it('reads there what the profile is for, where the page needs it, and is asked by WeChat next', async () => {
    const page = await visitor.open(`${site.url}/me`);
    expect(isInvitation(page)).toBe(true);
    expect(page.body).toContain('我们用头像给你做一张会员卡');
    const asked = await visitor.press(page);
    expect(new URL(asked.url).origin).toBe(world.wechat.url);
    expect((await visitor.answerConsent(asked, 'allow')).url).toBe(`${site.url}/me`);
  });

  it('gets the 401 of a script, whose signInUrl leads to the same page', async () => {
    const call = await visitor.fetch(`${site.url}/hello`);
    expect(call.status).toBe(401);
    const { code, signInUrl } = JSON.parse(call.body) as { code: string; signInUrl: string };
    expect(code).toBe('sign_in_required');
    const page = await visitor.open(`${signInUrl}&return_to=/hello`);
    expect(isInvitation(page)).toBe(true);
    expect((await visitor.press(page)).url).toBe(`${site.url}/hello`);
  });

  it('opens pages that need nobody as before', async () => {
    expect((await visitor.open(`${site.url}/public`)).status).toBe(200);
    const optional = await visitor.open(`${site.url}/maybe`);
    expect([optional.status, JSON.parse(optional.body)]).toEqual([200, { user: null }]);
  });

  it('gets the page again and again until a sign-in completes, and never after', async () => {
    const page = await visitor.open(`${site.url}/hello`);
    await visitor.press(page, untilCallback);
    // The person turned back at WeChat.
    expect(isInvitation(await visitor.open(`${site.url}/hello`))).toBe(true);
    await visitor.press(page);
    forgetSession();
    const silent = await visitor.open(`${site.url}/hello`);
    expect([silent.status, silent.url]).toEqual([200, `${site.url}/hello`]);
  });

  it('gets the page also from an old callback for which a person had pressed a button', async () => {
    const asked = await visitor.open(`${site.url}/wechat/sign-in?asked=1&return_to=/hello`, untilCallback);
    const callback = asked.headers['location'] ?? '';
    expect((await visitor.open(callback)).status).toBe(200);
    await signOut(visitor, site);
    expect(isInvitation(await visitor.open(callback))).toBe(true);
  });

  it('gets over a lost cookie on the way, once it has asked to sign in', async () => {
    const asked = await visitor.press(await visitor.open(`${site.url}/hello`), untilCallback);
    const cookies = visitor.cookies(site.url);
    for (const name of [...cookies.keys()]) if (name.startsWith('wechat_browser_')) cookies.delete(name);
    const restarted = await visitor.open(asked.headers['location'] ?? '');
    expect([restarted.status, restarted.body.includes('正在前往微信登录')]).toEqual([200, true]);
    expect((await visitor.press(restarted)).url).toBe(`${site.url}/hello`);
  });

  it('is not kept out by a mark that nobody has written', async () => {
    const cookies = visitor.cookies(site.url);
    const [name = ''] = [...cookies.keys()].filter((key) => key.startsWith('wechat_signed_out_'));
    for (const value of ['', 'yes', '-1', '1e99', '9'.repeat(40)]) {
      const stranger = new Visitor();
      stranger.cookies(site.url).set(name, value);
      expect((await stranger.open(`${site.url}/hello`)).status).toBe(200);
      world.clock.advance(60_000);
    }
  });
});

/** Keeps every statement that TypeORM sends. */
class StatementLog {
  constructor(private readonly statements: string[]) {}

  logQuery(statement: string): void {
    this.statements.push(statement);
  }

  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}
