import { createRequire } from 'node:module';

/** What the commands need of package.json. */
export interface PackageInfo {
  version: string;
  engines: { node: string };
  peerDependencies: Record<string, string>;
}

/** This package's own package.json, wherever it is installed. */
export function packageInfo(): PackageInfo {
  return createRequire(import.meta.url)('nestjs-wechat-auth/package.json') as PackageInfo;
}
