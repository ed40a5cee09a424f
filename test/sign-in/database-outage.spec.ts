import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Postgres, startPostgres } from '../../scripts/embedded-postgres.mjs';
import { freePort, PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';
import { copyCookies, poll, signOut } from './sign-out.harness.js';

describe.each(PLATFORMS)('when the database stops in the middle, on %s', (platform) => {
  let dataDirectory: string;
  let port: number;
  let postgres: Postgres;
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    dataDirectory = await mkdtemp(join(tmpdir(), 'outage-'));
    port = await freePort();
    postgres = await startPostgres({ dataDirectory, port });
    world = await TestWorld.create({}, { url: postgres.url, drop: () => Promise.resolve() });
    site = await world.start({ platform });
  });
  afterAll(async () => {
    await world.close();
    await postgres.stop();
    await rm(dataDirectory, { recursive: true, force: true });
  });

  async function withoutDatabase<T>(work: () => Promise<T>): Promise<T> {
    await postgres.stop();
    try {
      return await work();
    } finally {
      postgres = await startPostgres({ dataDirectory, port });
    }
  }

  it('shows a page at the callback, exchanges nothing, and a second try works', async () => {
    const visitor = new Visitor();
    const started = await visitor.open(`${site.url}/hello`, {
      follow: (location) => !location.includes('/wechat/callback'),
    });
    const failed = await withoutDatabase(() => visitor.open(started.headers['location'] ?? ''));
    expect(failed.status).toBe(503);
    expect(failed.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(failed.body).toContain('暂时无法登录');
    expect(failed.body).not.toContain('ECONNREFUSED');
    expect(world.wechat.requests.some(({ endpoint }) => endpoint === 'token')).toBe(false);
    const visit = await visitor.press(failed);
    expect([visit.status, visit.url]).toEqual([200, `${site.url}/hello`]);
  });

  it('lets base and optional routes go on, and shows a page on userinfo routes', async () => {
    const visitor = new Visitor();
    const visit = await visitor.answerConsent(
      await visitor.press(await visitor.open(`${site.url}/me`)),
      'allow',
    );
    expect(visit.status).toBe(200);
    const [base, page, script, optional] = await withoutDatabase(async () => [
      await visitor.fetch(`${site.url}/hello`),
      await visitor.open(`${site.url}/me?tab=1`),
      await visitor.fetch(`${site.url}/me`),
      await visitor.open(`${site.url}/maybe`),
    ]);
    expect(base.status).toBe(200);
    expect([page.status, page.body.includes('暂时无法登录')]).toEqual([503, true]);
    expect([script.status, JSON.parse(script.body)]).toMatchObject([
      503,
      { code: 'temporarily_unavailable' },
    ]);
    expect([optional.status, JSON.parse(optional.body)]).toMatchObject([200, { user: { scope: 'base' } }]);
    const again = await visitor.press(page);
    expect([again.status, again.url]).toEqual([200, `${site.url}/me?tab=1`]);
  });

  it('lets a session go on whose user would be found out anew', async () => {
    const visitor = new Visitor({ 'user-agent': 'MicroMessenger' });
    await visitor.open(`${site.url}/hello`);
    world.clock.advance(24 * 60 * 60_000);
    const visit = await withoutDatabase(() => visitor.open(`${site.url}/hello`));
    expect([visit.status, visit.trail]).toEqual([200, [`${site.url}/hello`]]);
    const later = await visitor.open(`${site.url}/hello`);
    expect([later.status, later.trail.length > 1]).toEqual([200, true]);
  });

  it('signs out whoever wants to, here at once, and elsewhere when the database is back', async () => {
    const other = await world.start({ platform, module: { publicUrl: site.url } });
    const visitor = new Visitor();
    await visitor.open(`${site.url}/hello`);
    const copy = copyCookies(visitor, new Visitor(), site.url);
    await withoutDatabase(async () => {
      expect((await signOut(visitor, site)).status).toBe(204);
      expect((await visitor.fetch(`${site.url}/hello`)).status).toBe(401);
      expect((await copy.fetch(`${site.url}/hello`)).status).toBe(401);
      await expect(poll(other)).rejects.toThrow();
      expect((await copy.fetch(`${other.url}/hello`)).status).toBe(200);
    });
    await poll(site);
    await poll(other);
    expect((await copy.fetch(`${other.url}/hello`)).status).toBe(401);
  });
});
