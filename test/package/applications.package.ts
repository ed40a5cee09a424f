import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { freePort, TEST_KEY } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';
import type { Output } from './commands.js';
import { type Deployment, type EmulatedWechat, HostApplication, type Platform } from './host.application.js';
import { packagesToInstall } from './readme.js';
import { entryPoints, manifest } from './tarball.js';

/** What `nest new` has put into an application before. */
const NEST_NEW = ['@nestjs/common', '@nestjs/core', '@nestjs/platform-express', 'reflect-metadata', 'rxjs'];

/** The answer to one query, as it is in the database. */
async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe.each(['nest12-esm', 'nest11-cjs'] as const)('an application made from the README, %s', (name) => {
  let host: HostApplication;
  let installation: Output;
  let deployments: Record<Platform, Deployment>;

  beforeAll(async () => {
    host = await HostApplication.create(name);
    installation = await host.install();
    deployments = await host.deploy();
  });
  afterAll(() => host.remove());

  it('needs nothing but what the README says to install', async () => {
    const { dependencies } = await host.manifest();
    const installed = Object.keys(dependencies).filter((name) => name !== '@nestjs/platform-fastify');
    expect(installed.sort()).toEqual([...NEST_NEW, ...packagesToInstall()].sort());
    expect(installed).toEqual(expect.arrayContaining(Object.keys(manifest.peerDependencies)));
  });

  it('is installed without a word about peers or about this package', async () => {
    expect(installation.stderr).not.toMatch(/ERESOLVE|peer|nestjs-wechat-auth/);
    await host.checkVersions();
  });

  describe.each([
    { platform: 'express', migration: 'at its start' },
    { platform: 'fastify', migration: 'by the command' },
  ] as const)('on $platform, its tables made $migration', ({ platform, migration }) => {
    let deployment: Deployment;
    let database: TestDatabase;
    let wechat: EmulatedWechat;
    let url: string;
    let env: NodeJS.ProcessEnv;

    beforeAll(async () => {
      deployment = deployments[platform];
      database = await createTestDatabase();
      wechat = await deployment.startEmulator();
      url = `http://localhost:${String(await freePort())}`;
      env = {
        DATABASE_URL: database.url,
        WECHAT_APP_ID: wechat.app.appId,
        WECHAT_APP_SECRET: wechat.app.appSecret,
        WECHAT_PUBLIC_URL: url,
        WECHAT_AUTH_KEYS: TEST_KEY,
        WECHAT_OPEN_BASE_URL: wechat.openBaseUrl,
        WECHAT_API_BASE_URL: wechat.apiBaseUrl,
      };
    });
    afterAll(async () => {
      await deployment.stop();
      await database.drop();
    });

    it('loads every entry point by import and by require, without a warning', async () => {
      const load = `
        const names = ${JSON.stringify(entryPoints)};
        Promise.all(names.map((name) => import(name))).then((modules) => {
          console.log(modules.every((module, index) =>
            Object.keys(module).length > 0 && module === require(names[index])));
        });`;
      expect(await deployment.run(['node', '--input-type=commonjs', '--eval', load])).toMatchObject({
        stdout: 'true\n',
        stderr: '',
      });
    });

    it('explains an error code on the command line', async () => {
      const command = ['npx', '--no-install', 'nestjs-wechat-auth', 'explain', '48001'];
      expect((await deployment.run(command)).stdout).toContain('api unauthorized');
    });

    it('signs a user in, silently and with consent', async () => {
      const tables = `SELECT tablename FROM pg_tables WHERE tablename LIKE 'wechat%'`;
      if (migration === 'by the command') {
        await deployment.run(['npx', '--no-install', 'nestjs-wechat-auth', 'migrate'], env);
        expect(await query(database.url, tables)).toContainEqual({ tablename: 'wechat_grant' });
      } else {
        expect(await query(database.url, tables)).toEqual([]);
      }
      const application = await deployment.startApplication(url, env);
      const visitor = new Visitor();

      const hello = await visitor.open(`${url}/hello`);
      expect([hello.status, hello.url]).toEqual([200, `${url}/hello`]);
      expect(JSON.parse(hello.body)).toMatchObject({ openid: wechat.user.openid, scope: 'base' });

      const explained = await visitor.open(`${url}/me`);
      const me = await visitor.answerConsent(await visitor.press(explained), 'allow');
      expect([me.status, me.url]).toEqual([200, `${url}/me`]);
      expect(JSON.parse(me.body)).toMatchObject({
        openid: wechat.user.openid,
        scope: 'userinfo',
        userInfo: { nickname: wechat.user.nickname },
      });

      expect(application.stderr).toBe('');
    });
  });
});
