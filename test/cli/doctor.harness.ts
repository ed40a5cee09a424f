import { expect } from '@jest/globals';
import pg from 'pg';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { createWechatEmulator, type WechatEmulator } from '../../src/emulator/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type CommandOptions, FOLDER_WITH_PACKAGES, runCommand } from './command.runner.js';

export const KEY = `k1:${Buffer.from('8f3a6c1e9b7d425f0a1c3e5b79d2f4681b3d5f7a9c2e4061834a6c8eb0d2f416', 'hex').toString('base64')}`;

/** Changes to the environment: undefined takes a variable away. */
export type EnvironmentChanges = Record<string, string | undefined>;

export interface Diagnosis {
  exitCode: number | null;
  ok: boolean;
  findings: Finding[];
}

/** An emulated WeChat, a migrated database, and an environment in which all is well with both. */
export class DoctorWorld {
  private constructor(
    readonly wechat: WechatEmulator,
    readonly database: TestDatabase,
    readonly env: Record<string, string>,
  ) {}

  static async create(): Promise<DoctorWorld> {
    const [wechat, database] = await Promise.all([createWechatEmulator(), createTestDatabase()]);
    const [account] = wechat.apps;
    const env = {
      WECHAT_APP_ID: account?.appId ?? '',
      WECHAT_APP_SECRET: account?.appSecret ?? '',
      WECHAT_PUBLIC_URL: 'http://localhost:3000',
      WECHAT_AUTH_KEYS: KEY,
      WECHAT_OPEN_BASE_URL: wechat.openBaseUrl,
      WECHAT_API_BASE_URL: wechat.apiBaseUrl,
      DATABASE_URL: database.url,
    };
    expect(await runCommand(['migrate'], { env })).toMatchObject({ exitCode: 0 });
    return new DoctorWorld(wechat, database, env);
  }

  /** `doctor --json`, in the application's folder. */
  async diagnose(
    changes: EnvironmentChanges = {},
    args: string[] = [],
    options: CommandOptions = {},
  ): Promise<Diagnosis> {
    const env = Object.fromEntries(
      Object.entries({ ...this.env, ...changes }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      ),
    );
    const { exitCode, stdout, stderr } = await runCommand(['doctor', '--json', ...args], {
      cwd: FOLDER_WITH_PACKAGES,
      ...options,
      env,
    });
    expect(stderr).toBe('');
    return { exitCode, ...(JSON.parse(stdout) as { ok: boolean; findings: Finding[] }) };
  }

  async close(): Promise<void> {
    await this.wechat.close();
    await this.database.drop();
  }
}

/** What is not fine, as `check status message`. */
export function complaints({ findings }: Diagnosis): string[] {
  return findings
    .filter(({ status }) => status !== 'ok')
    .map(({ check, status, message }) => `${check} ${status} ${message}`);
}

export async function query(url: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}
