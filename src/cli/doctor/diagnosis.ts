import { maskSecrets } from '../secrets.js';
import type { DatabaseOptions } from '../database/database.options.js';
import { packageInfo } from '../package.info.js';
import { checkClock } from './clock.check.js';
import { checkDatabase, type DatabaseReport } from './database.check.js';
import { checkEnvironment } from './environment.check.js';
import { type Check, CHECKS, error, type Finding } from './finding.js';
import { checkKeys } from './keys.check.js';
import { checkPublicUrls } from './public-url.check.js';
import { readSettings, type Settings } from './settings.js';
import { checkVersions } from './versions.check.js';
import { checkWechat, type WechatReport } from './wechat.check.js';

/** Longer than all limits of a part together, so that it ends one only if such a limit fails. */
const PART_TIMEOUT_MS = 30_000;

export interface DiagnosisOptions extends DatabaseOptions {
  env: NodeJS.ProcessEnv;
  /** Leave WeChat alone. */
  offline: boolean;
  /** The file that was read into the environment. */
  envFile: string | undefined;
  /** The application's folder. */
  folder: string;
}

/** Looks at everything that a sign-in needs. Always ends, whatever does not answer. */
export async function diagnose(options: DiagnosisOptions): Promise<Finding[]> {
  const settings = readSettings(options.env);
  const [database, wechat] = await Promise.all([
    databaseReport(options, settings),
    wechatReport(options, settings),
  ]);
  const findings = [
    ...checkVersions(packageInfo(), options.folder, process.versions.node),
    ...checkEnvironment(settings, options.envFile, options.folder),
    ...checkKeys(settings.keys, database.storedKeys),
    ...checkPublicUrls(settings),
    ...database.findings,
    ...checkClock({ database: database.aheadMs, wechat: wechat.aheadMs }),
    ...wechat.findings,
  ];
  return CHECKS.flatMap((check) => findings.filter((finding) => finding.check === check));
}

function databaseReport(options: DiagnosisOptions, { keys }: Settings): Promise<DatabaseReport> {
  return withLimit('database', options, checkDatabase(options.env, options, keys), (finding) => ({
    findings: [finding],
    storedKeys: { unknownBecause: 'since the database could not be asked' },
  }));
}

function wechatReport(options: DiagnosisOptions, settings: Settings): Promise<WechatReport> {
  const { env, offline } = options;
  return withLimit('wechat', options, checkWechat(settings, env, offline), (finding) => ({
    findings: [finding],
  }));
}

/** A part that hangs, or meets what nobody thought of, is a finding and not the end of the report. */
async function withLimit<Report>(
  check: Check,
  { env }: DiagnosisOptions,
  part: Promise<Report>,
  instead: (finding: Finding) => Report,
): Promise<Report> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<Report>((resolve) => {
    timer = setTimeout(() => {
      resolve(
        instead(
          error(check, `No result within ${PART_TIMEOUT_MS / 1_000} s.`, 'See what stands still there.'),
        ),
      );
    }, PART_TIMEOUT_MS);
  });
  try {
    return await Promise.race([part, limit]);
  } catch (cause) {
    const words = maskSecrets(String(cause), env);
    return instead(
      error(
        check,
        `This part of doctor failed: ${words}.`,
        'Please report it as a bug of nestjs-wechat-auth.',
      ),
    );
  } finally {
    clearTimeout(timer);
  }
}
