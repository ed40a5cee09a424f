import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkClock } from '../../src/cli/doctor/clock.check.js';
import { checkVersions } from '../../src/cli/doctor/versions.check.js';

describe('doctor, about versions,', () => {
  const peerDependencies = {
    '@nestjs/core': '^11.0.0 || ^12.0.0',
    typeorm: '^0.3.0 || ^1.0.0',
    pg: '^8.0.0',
    rxjs: '^7.0.0',
    passport: '^0.7.0',
  };
  const packageInfo = { version: '1.0.0', engines: { node: '>=20.19' }, peerDependencies };

  it('looks for what the application has installed, as Node.js would', () => {
    const folder = mkdtempSync(join(tmpdir(), 'nestjs-wechat-auth-host-'));
    const install = (name: string, version: string): void => {
      mkdirSync(join(folder, 'node_modules', name), { recursive: true });
      writeFileSync(join(folder, 'node_modules', name, 'package.json'), JSON.stringify({ name, version }));
    };
    try {
      install('@nestjs/core', '10.4.1');
      install('typeorm', '0.3.31');
      install('pg', '8.23.1');
      install('passport', '0.8.0-beta.1');
      const below = join(folder, 'apps', 'shop');
      mkdirSync(below, { recursive: true });
      const findings = checkVersions(packageInfo, below, '20.19.0');
      expect(findings.map(({ status, message }) => `${status} ${message}`)).toEqual([
        'ok Node.js 20.19.0.',
        'warning @nestjs/core 10.4.1 is not a version that this module is made for (^11.0.0 || ^12.0.0).',
        'error rxjs is not installed.',
        'warning passport 0.8.0-beta.1 is not a version that this module is made for (^0.7.0).',
        'ok typeorm 0.3.31, pg 8.23.1.',
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each(['', '{"name":"pg","ver', 'null', '{}'])('has a package installed again that is %p', (content) => {
    const folder = mkdtempSync(join(tmpdir(), 'nestjs-wechat-auth-host-'));
    try {
      mkdirSync(join(folder, 'node_modules', 'pg'), { recursive: true });
      writeFileSync(join(folder, 'node_modules', 'pg', 'package.json'), content);
      const findings = checkVersions(
        { ...packageInfo, peerDependencies: { pg: '^8.0.0' } },
        folder,
        '22.1.0',
      );
      expect(findings[1]).toEqual({
        check: 'versions',
        status: 'error',
        message: 'pg cannot be read.',
        cure: 'Install it again: npm install pg',
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['20.18.3', 'error'],
    ['18.20.8', 'error'],
    ['20.19.0', 'ok'],
    ['22.1.0', 'ok'],
  ])('takes Node.js %s for: %s', (version, status) => {
    expect(checkVersions(packageInfo, '/', version)[0]).toMatchObject({ status });
  });
});

describe("doctor, about this machine's clock,", () => {
  it.each<[number | undefined, string, string]>([
    [4_000, 'ok', 'agrees with the database'],
    [-7_000, 'warning', 'is 7 s ahead of the database'],
    [90_000, 'error', 'is 90 s behind the database'],
    [-8 * 3_600_000, 'error', 'is 8 hours ahead of the database'],
    [undefined, 'warning', 'Not checked'],
  ])('takes %p ms for: %s', (database, status, words) => {
    const [finding] = checkClock({ database, wechat: 0 });
    expect(finding).toMatchObject({ status, message: expect.stringContaining(words) });
  });
});
