import { DataSource } from 'typeorm';
import { createWechatEmulator, type WechatEmulator } from '../../src/emulator/index.js';
import { wechatAuthEntities, wechatAuthMigrations } from '../../src/index.js';
import { Balancer } from './balancer.js';
import { Fleet, type Member } from './fleet.js';
import { Journey } from './journey.js';
import { keysSetting } from './keys.js';

/** Most answers of WeChat take this long, in real milliseconds, so that there is something to be killed over. */
const WECHAT_TAKES_MS = { token: 30, userinfo: 30, refresh: 80 };

/** An emulated WeChat, a database, and before the instances what shares the requests out among them. */
export class Scene {
  private constructor(
    readonly databaseUrl: string,
    readonly dataSource: DataSource,
    readonly wechat: WechatEmulator,
    readonly balancer: Balancer<Member>,
    readonly fleet: Fleet,
  ) {}

  /** @param users how many there are at WeChat. */
  static async open(databaseUrl: string, users: number, seed: number): Promise<Scene> {
    const dataSource = await new DataSource({
      type: 'postgres',
      url: databaseUrl,
      entities: [...wechatAuthEntities],
      migrations: [...wechatAuthMigrations],
    }).initialize();
    await dataSource.runMigrations();
    const balancer = await Balancer.start<Member>();
    const fleet: Fleet = new Fleet(balancer, (number) => ({
      name: `instance-${String(number)}`,
      databaseUrl,
      poolSize: 5,
      logLevels: ['error', 'fatal'],
      module: {
        appId: wechat.apps[0]?.appId ?? '',
        appSecret: wechat.apps[0]?.appSecret ?? '',
        publicUrl: balancer.url,
        keys: keysSetting(number),
        openBaseUrl: wechat.openBaseUrl,
        apiBaseUrl: wechat.apiBaseUrl,
        // Again and again, and slowly, so that there is a sweep to be killed over.
        refresh: { intervalMs: 100, batchSize: 10, concurrency: 2 },
      },
    }));
    const wechat = await createWechatEmulator({
      users,
      seed: String(seed),
      now: () => fleet.clock.now(),
      quotaPerMinute: false,
    });
    for (const endpoint of ['token', 'userinfo', 'refresh'] as const) {
      await wechat.failNext(endpoint, { delayMs: WECHAT_TAKES_MS[endpoint] }, { share: 0.7 });
    }
    return new Scene(databaseUrl, dataSource, wechat, balancer, fleet);
  }

  /** Gives each of these users a phone. */
  async prepare(openids: readonly string[]): Promise<Journey[]> {
    const { balancer, wechat } = this;
    return Promise.all(openids.map((openid) => Journey.prepare(openid, balancer.url, wechat.url)));
  }

  async close(): Promise<void> {
    await this.fleet.close();
    await this.balancer.close();
    await this.wechat.close();
    await this.dataSource.destroy();
  }
}
