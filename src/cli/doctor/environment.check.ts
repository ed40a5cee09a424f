import { error, type Finding, ok, warning } from './finding.js';
import type { Settings } from './settings.js';

/** The settings, as the module itself checks them at start. */
export function checkEnvironment(
  { problems, account }: Settings,
  envFile: string | undefined,
  folder: string,
): Finding[] {
  const source = ok(
    'environment',
    envFile === undefined
      ? `No .env file in ${folder}: the environment alone.`
      : `Read ${envFile}; what the environment has already wins.`,
  );
  if (problems.length > 0) {
    const passed = 'What the application passes to WechatAuthModule.forRoot() itself is not seen here.';
    return [
      source,
      ...problems.map(({ problem, cure }) => error('environment', problem, cure)),
      { check: 'environment', status: 'warning', message: passed },
    ];
  }
  const findings = [source, ok('environment', `Everything is set, for the account ${account?.appId ?? ''}.`)];
  if (account && !/^[0-9a-f]{32}$/i.test(account.appSecret)) {
    findings.push(
      warning(
        'environment',
        `WECHAT_APP_SECRET has ${account.appSecret.length} characters; WeChat's have 32, of 0-9 and a-f.`,
        'Copy it whole from 微信公众平台 → 设置与开发 → 开发接口管理, or reset it there.',
      ),
    );
  }
  return findings;
}
