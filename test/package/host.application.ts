import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { request } from 'undici';
import { type Output, run, RunningProcess } from './commands.js';
import { usageExample } from './readme.js';
import { entryPoints, tarball } from './tarball.js';

export type HostName = 'nest12-esm' | 'nest11-cjs';
export type Platform = 'express' | 'fastify';
/** How node_modules is laid out: npm's default, or like pnpm's, where a package finds nothing but what it declares. */
type Layout = 'hoisted' | 'linked';

/** With its warnings, also where this run is one of a silent npm. */
const INSTALL = ['npm', 'install', '--loglevel=warn', '--prefer-offline', '--no-audit', '--no-fund'];
const PACKED = 'nestjs-wechat-auth.tgz';

interface HostManifest {
  dependencies: Record<string, string>;
}

/**
 * An application as `nest new` makes it, outside of this repository, with the README's example as its module and the
 * tarball as a dependency.
 */
export class HostApplication {
  private readonly development: string;
  private readonly deployments: Deployment[] = [];

  private constructor(private readonly folder: string) {
    this.development = join(folder, 'development');
  }

  static async create(name: HostName): Promise<HostApplication> {
    const host = new HostApplication(await mkdtemp(join(tmpdir(), `${name}-`)));
    await cp(resolve(import.meta.dirname, name), host.development, { recursive: true });
    await cp(tarball, join(host.folder, PACKED));
    await writeFile(join(host.development, 'src/app.module.ts'), usageExample());
    // Brings the declarations of every entry point before the compiler.
    await writeFile(
      join(host.development, 'src/entry-points.ts'),
      entryPoints.map((name, index) => `export * as entryPoint${String(index)} from '${name}';\n`).join(''),
    );
    return host;
  }

  async manifest(): Promise<HostManifest> {
    return JSON.parse(await readFile(join(this.development, 'package.json'), 'utf8')) as HostManifest;
  }

  /** Installs what a developer has, the tarball included. */
  install(): Promise<Output> {
    return run([...INSTALL, `../${PACKED}`], this.development);
  }

  /** Whether every dependency, here and further down, has a version that fits. @throws with what does not. */
  async checkVersions(): Promise<void> {
    await run(['npm', 'ls', '--all'], this.development);
  }

  /** Checks types, in every declaration file too, builds, and makes what each server gets. */
  async deploy(): Promise<Record<Platform, Deployment>> {
    const [express, fastify] = await Promise.all([
      this.installServer('express', 'hoisted'),
      this.installServer('fastify', 'linked'),
      run(['npm', 'run', 'build'], this.development),
    ]);
    for (const folder of [express, fastify]) {
      await cp(join(this.development, 'dist'), join(folder, 'dist'), { recursive: true });
    }
    const deployments = {
      express: new Deployment(express, 'main'),
      fastify: new Deployment(fastify, 'main-fastify'),
    };
    this.deployments.push(...Object.values(deployments));
    return deployments;
  }

  /** Stops what still runs and removes everything. */
  async remove(): Promise<void> {
    for (const deployment of this.deployments) await deployment.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A folder with the dependencies of one platform, without those of the other and of the development. */
  private async installServer(platform: Platform, layout: Layout): Promise<string> {
    const folder = join(this.folder, platform);
    await mkdir(folder);
    await cp(join(this.development, 'package-lock.json'), join(folder, 'package-lock.json'));
    const manifest = await this.manifest();
    const otherPlatform = `@nestjs/platform-${platform === 'express' ? 'fastify' : 'express'}`;
    const { [otherPlatform]: _, ...dependencies } = manifest.dependencies;
    await writeFile(
      join(folder, 'package.json'),
      JSON.stringify({ ...manifest, dependencies }, undefined, 2),
    );
    await run([...INSTALL, '--omit=dev', `--install-strategy=${layout}`], folder);
    return folder;
  }
}

export interface EmulatedWechat {
  openBaseUrl: string;
  apiBaseUrl: string;
  app: { appId: string; appSecret: string };
  user: { openid: string; nickname: string };
}

/** A built application in a folder of its own. */
export class Deployment {
  private readonly running: RunningProcess[] = [];

  constructor(
    private readonly folder: string,
    private readonly main: string,
  ) {}

  /** Runs a command in the application's folder. */
  run(command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Output> {
    return run(command, this.folder, env);
  }

  /** Starts the emulator that came with the package. */
  async startEmulator(): Promise<EmulatedWechat> {
    const emulator = this.start('emulator');
    await emulator.until(() => emulator.stdout.endsWith('\n'));
    return JSON.parse(emulator.stdout) as EmulatedWechat;
  }

  /** Starts the application, and waits until it answers. */
  async startApplication(url: string, env: NodeJS.ProcessEnv): Promise<RunningProcess> {
    const application = this.start(this.main, { ...env, PORT: new URL(url).port });
    await application.until(() => answers(url));
    return application;
  }

  async stop(): Promise<void> {
    await Promise.all(this.running.splice(0).map((process) => process.stop()));
  }

  private start(program: string, env: NodeJS.ProcessEnv = {}): RunningProcess {
    const process = new RunningProcess(['node', `dist/${program}.js`], this.folder, env);
    this.running.push(process);
    return process;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await request(url)).body.dump();
    return true;
  } catch {
    return false;
  }
}
