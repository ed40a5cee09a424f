import type { Command } from 'commander';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database.options.js';
import {
  addEnvironmentFileOption,
  type EnvironmentFileOptions,
  loadEnvironmentFile,
} from '../environment.file.js';
import type { Shell } from '../shell.js';

interface DoctorOptions extends DatabaseOptions, EnvironmentFileOptions {
  offline: boolean;
  json: boolean;
}

const HELP = `
Looks at versions, environment, keys, the public URL against WeChat's rules for redirect domains, the database at
DATABASE_URL and its migrations, the clock, and whether WeChat can be reached and takes app id and secret. Changes
nothing. Run it in the application's folder, with the application's environment.

Examples:
  $ npx nestjs-wechat-auth doctor
  $ npx nestjs-wechat-auth doctor --offline
  $ npx nestjs-wechat-auth doctor --json --settings .env.production

Exit codes: 0 no errors (there may be warnings), 1 errors were found, 2 wrong usage.`;

export function addDoctor(program: Command, shell: Shell, endWith: (exitCode: number) => void): void {
  const command = program
    .command('doctor')
    .description('find what keeps sign-ins from working, each finding with its cure')
    .option('--offline', 'do not call WeChat', false)
    .option(
      '--json',
      'print one JSON document: { ok, findings: [{ check, status, message, cure? }] }',
      false,
    );
  addEnvironmentFileOption(addDatabaseOptions(command))
    .addHelpText('after', HELP)
    .action(async (options: DoctorOptions) => {
      const { env, folder, columns, write } = shell;
      const envFile = loadEnvironmentFile(options.settings, folder, env);
      const { diagnose } = await import('../doctor/diagnosis.js');
      const { isFine, reportJson, reportText } = await import('../doctor/report.js');
      const findings = await diagnose({ ...options, env, folder, envFile });
      write(`${options.json ? reportJson(findings) : reportText(findings, columns)}\n`);
      if (!isFine(findings)) endWith(1);
    });
}
