import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Injectable, Module, type ModuleMetadata, Scope } from '@nestjs/common';
import { ConfigModule, ConfigService, registerAs } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import {
  CurrentWechatUser,
  WechatAuth,
  type WechatAuthAsyncOptions,
  WechatAuthModule,
  WechatConfigurationError,
  type WechatUser,
} from '../../src/index.js';
import { TestWorld } from '../support/test-app.js';
import { database, settingsFor, signIn, startHost, variablesFor } from './host.application.js';

const APPS = [
  { appId: 'wxaaaaaaaaaaaaaaaa', appSecret: 'a'.repeat(32), redirectDomains: ['127.0.0.1'] },
  { appId: 'wxbbbbbbbbbbbbbbbb', appSecret: 'b'.repeat(32), redirectDomains: ['127.0.0.1'] },
];

type Imports = NonNullable<ModuleMetadata['imports']>;

let world: TestWorld;
let folder: string;
const environment = { ...process.env };

beforeAll(async () => {
  world = await TestWorld.create({ apps: APPS });
});
afterAll(() => world.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nestjs-wechat-auth-'));
});
afterEach(async () => {
  for (const name of Object.keys(process.env))
    if (name.startsWith('WECHAT_')) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, environment);
  await rm(folder, { recursive: true });
});

/** Starts the host and signs somebody in: only then do all of its settings work together. */
async function signInAt(imports: (url: string) => Imports): Promise<WechatUser> {
  const host = await startHost((url) => [database(world), ...imports(url)]);
  try {
    return await signIn(host);
  } finally {
    await host.app.close();
  }
}

const ofFirstAccount = { appId: 'wxaaaaaaaaaaaaaaaa', scope: 'base' };

/** Writes the settings into a file, and nowhere else. */
function envFile(url: string): string {
  const path = join(folder, '.env');
  const lines = Object.entries(variablesFor(world, url)).map(([name, value]) => `${name}="${value}"\n`);
  writeFileSync(path, lines.join(''));
  return path;
}

describe('WechatAuthModule.forRoot() signs users in', () => {
  it.each<[string, (url: string) => Imports]>([
    ['with every setting an option', (url) => [WechatAuthModule.forRoot(settingsFor(world, url))]],
    [
      'on the environment alone, without a ConfigModule',
      (url) => {
        Object.assign(process.env, variablesFor(world, url));
        return [WechatAuthModule.forRoot()];
      },
    ],
    [
      'on a .env file that a global ConfigModule reads',
      (url) => [
        ConfigModule.forRoot({ isGlobal: true, envFilePath: envFile(url) }),
        WechatAuthModule.forRoot(),
      ],
    ],
    [
      'on a .env file that a ConfigModule reads which is not global',
      (url) => [ConfigModule.forRoot({ envFilePath: envFile(url) }), WechatAuthModule.forRoot()],
    ],
    [
      'on a .env file, whatever the order of the imports',
      (url) => [
        WechatAuthModule.forRoot(),
        ConfigModule.forRoot({ isGlobal: true, envFilePath: envFile(url) }),
      ],
    ],
    [
      'on what a validation of the environment has put in order',
      (url) => [
        ConfigModule.forRoot({
          ignoreEnvFile: true,
          validate: (variables) => ({ ...variables, ...variablesFor(world, url) }),
        }),
        WechatAuthModule.forRoot(),
      ],
    ],
    [
      'on a file alone, where process.env is not to be asked',
      (url) => {
        process.env['WECHAT_APP_ID'] = 'not to be read';
        return [
          ConfigModule.forRoot({
            isGlobal: true,
            ignoreEnvFile: true,
            skipProcessEnv: true,
            load: [() => variablesFor(world, url)],
          }),
          WechatAuthModule.forRoot(),
        ];
      },
    ],
    [
      'on what a ConfigModule loads which is not global',
      (url) => [
        ConfigModule.forRoot({ ignoreEnvFile: true, load: [() => variablesFor(world, url)] }),
        WechatAuthModule.forRoot(),
      ],
    ],
    [
      'on what a global ConfigModule takes its time to load',
      (url) => [
        WechatAuthModule.forRoot(),
        ConfigModule.forRoot({
          isGlobal: true,
          ignoreEnvFile: true,
          load: [() => sleep(300, variablesFor(world, url))],
        }),
      ],
    ],
    [
      'with options that win over the environment',
      (url) => {
        Object.assign(process.env, variablesFor(world, url), {
          WECHAT_PUBLIC_URL: 'https://other.example.com',
        });
        return [WechatAuthModule.forRoot({ publicUrl: url })];
      },
    ],
  ])('%s', async (_, imports) => {
    expect(await signInAt(imports)).toMatchObject(ofFirstAccount);
  });
});

@Injectable()
class Vault {
  secretOf(appId: string): Promise<string> {
    return sleep(50, APPS.find((app) => app.appId === appId)?.appSecret ?? '');
  }
}

@Module({ providers: [Vault], exports: [Vault] })
class VaultModule {}

describe('WechatAuthModule.forRootAsync() signs users in', () => {
  it.each<[string, (url: string) => Imports]>([
    [
      'with a factory that needs nothing',
      (url) => [WechatAuthModule.forRootAsync({ useFactory: () => settingsFor(world, url) })],
    ],
    [
      'with the host’s global ConfigService, also where that takes its time to load',
      (url) => [
        WechatAuthModule.forRootAsync({
          inject: [ConfigService],
          useFactory: (config: ConfigService) => ({ ...config.get<object>('shop.wechat') }),
        }),
        ConfigModule.forRoot({
          isGlobal: true,
          ignoreEnvFile: true,
          load: [() => sleep(300, { shop: { wechat: settingsFor(world, url) } })],
        }),
      ],
    ],
    [
      'with a ConfigModule that is imported for it',
      (url) => [
        WechatAuthModule.forRootAsync({
          imports: [ConfigModule.forRoot({ envFilePath: envFile(url) })],
          inject: [ConfigService],
          useFactory: (config: ConfigService) => ({ appId: config.getOrThrow<string>('WECHAT_APP_ID') }),
        }),
      ],
    ],
    [
      'with a part of the host’s configuration',
      (url) => {
        const wechat = registerAs('wechat', () => settingsFor(world, url));
        return [
          ConfigModule.forRoot({ ignoreEnvFile: true }),
          WechatAuthModule.forRootAsync({
            imports: [ConfigModule.forFeature(wechat)],
            inject: [wechat.KEY],
            useFactory: (settings: ReturnType<typeof wechat>) => settings,
          }),
        ];
      },
    ],
    [
      'with the providers of a module of the host’s, and the environment for the rest',
      (url) => {
        Object.assign(process.env, variablesFor(world, url), { WECHAT_APP_SECRET: '' });
        return [
          WechatAuthModule.forRootAsync({
            imports: [VaultModule],
            inject: [Vault],
            useFactory: async (vault: Vault) => ({ appSecret: await vault.secretOf('wxaaaaaaaaaaaaaaaa') }),
          }),
        ];
      },
    ],
  ])('%s', async (_, imports) => {
    expect(await signInAt(imports)).toMatchObject(ofFirstAccount);
  });
});

@Controller()
class TwoAccountsController {
  @Get('first')
  @WechatAuth()
  first(@CurrentWechatUser() user: WechatUser): WechatUser {
    return user;
  }

  @Get('second')
  @WechatAuth('base', { account: 'wxbbbbbbbbbbbbbbbb' })
  second(@CurrentWechatUser() user: WechatUser): WechatUser {
    return user;
  }
}

describe('an application of two accounts', () => {
  it('signs users in to the one that the route names, the first being the default', async () => {
    const host = await startHost(
      (url) => {
        const { appId: _, appSecret: __, ...settings } = settingsFor(world, url);
        return [database(world), WechatAuthModule.forRoot({ ...settings, accounts: APPS })];
      },
      { controllers: [TwoAccountsController] },
    );
    try {
      const first = await signIn(host, '/first');
      const second = await signIn(host, '/second');
      expect([first.appId, second.appId]).toEqual(['wxaaaaaaaaaaaaaaaa', 'wxbbbbbbbbbbbbbbbb']);
      expect(second.openid).not.toBe(first.openid);
    } finally {
      await host.app.close();
    }
  });
});

describe('a host that was not checked by a compiler', () => {
  it.each<[string, unknown]>([
    ['null', null],
    ['a text', 'wx0123456789abcdef'],
    ['a list', []],
    ['a function', () => ({})],
  ])('is told at start what forRoot() is for, where it got %s', async (_, options) => {
    await expect(
      startHost(() => [database(world), WechatAuthModule.forRoot(options as object)]),
    ).rejects.toThrow('Give forRoot() an object or nothing');
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['another way of making options', { useClass: Vault }],
    ['a factory that is none', { useFactory: {} }],
    ['a factory that forgets its return', { useFactory: () => {} }],
    ['a factory that finds nothing', { useFactory: () => Promise.resolve(null) }],
  ])('is told at start what forRootAsync() wants, where it got %s', async (_, options) => {
    await expect(
      startHost(() => [database(world), WechatAuthModule.forRootAsync(options as WechatAuthAsyncOptions)]),
    ).rejects.toThrow('give forRootAsync() a useFactory that returns one');
  });

  it.each([null, 5, '', {}, ['second']])(
    'is told at once that %j is no name of a data source',
    (dataSource) => {
      const useFactory = (): object => ({});
      for (const configure of [
        () => WechatAuthModule.forRoot({ dataSource } as object),
        () => WechatAuthModule.forRootAsync({ dataSource, useFactory } as unknown as WechatAuthAsyncOptions),
      ]) {
        expect(configure).toThrow(WechatConfigurationError);
        expect(configure).toThrow(
          /dataSource is not the name of a TypeORM data source: the option holds (null|a|an) ?/,
        );
      }
    },
  );

  it.each<[string, object, string]>([
    ['imports', { imports: {} }, 'imports of forRootAsync() is not a list but an object.'],
    ['inject', { inject: 'VAULT' }, 'inject of forRootAsync() is not a list but a text of 5 characters.'],
  ])('is told at once that %s has to be a list', (_, given, message) => {
    const configure = () => WechatAuthModule.forRootAsync({ useFactory: () => ({}), ...given });
    expect(configure).toThrow(WechatConfigurationError);
    expect(configure).toThrow(message);
  });

  it('is told at start of options that stand beside the factory', async () => {
    const refused = startHost((url) => [
      database(world),
      WechatAuthModule.forRootAsync({
        useFactory: () => settingsFor(world, url),
        path: '/x',
        prompt: undefined,
        datasource: 'second',
        isGlobal: true,
      } as WechatAuthAsyncOptions),
    ]);
    await expect(refused).rejects.toThrow(
      [
        'nestjs-wechat-auth is not configured correctly:',
        '  - path stands beside useFactory, and without effect. Return it from useFactory.',
        '  - datasource is not an option of this module. Did you mean dataSource?',
        '  - isGlobal is not an option of this module. Take it away. The options are: imports, inject, useFactory, dataSource.',
      ].join('\n'),
    );
  });
});

@Injectable({ scope: Scope.REQUEST })
class Tenant {}

@Injectable()
class TenantVault {
  constructor(@Inject(Tenant) readonly tenant: Tenant) {}
}

@Module({ providers: [Tenant, TenantVault, Vault], exports: [Tenant, TenantVault, Vault] })
class TenantModule {}

describe('options that depend on a request', () => {
  const configured = (url: string): Imports => [
    database(world),
    WechatAuthModule.forRootAsync({
      imports: [TenantModule],
      inject: [Vault, TenantVault],
      useFactory: () => settingsFor(world, url),
    }),
  ];
  const message =
    'forRootAsync() injects TenantVault, made anew for each request, but the options are made once, at start. Inject only what';

  it('are refused at start, naming what depends on it', async () => {
    const refused = startHost(configured);
    await expect(refused).rejects.toThrow(WechatConfigurationError);
    await expect(refused).rejects.toThrow(message);
  });

  it('are refused where no HTTP is served as well', async () => {
    @Module({ imports: configured('http://localhost:3000') })
    class WorkerModule {}
    await expect(
      NestFactory.createApplicationContext(WorkerModule, { logger: false, abortOnError: false }),
    ).rejects.toThrow(message);
  });
});
