import { type Command, InvalidArgumentError } from 'commander';
import type { EmulatorCommandOptions } from '../emulator/start.js';
import type { Shell } from '../shell.js';

interface EmulatorOptions extends EmulatorCommandOptions {
  json: boolean;
}

const HELP = `
Plays open.weixin.qq.com and api.weixin.qq.com on 127.0.0.1 until Ctrl-C, and prints the environment that an application
needs to use it. Tests in any language turn its clock, let calls fail and sign people in over HTTP, at /emulator.

Examples:
  $ npx nestjs-wechat-auth emulator
  $ npx nestjs-wechat-auth emulator --port 8080 --state wechat.json
  $ npx nestjs-wechat-auth emulator --config emulator.json --json
  $ curl --json '{"ms":2678400000}' http://127.0.0.1:3010/emulator/advance-time

Exit codes: 0 it was stopped, 1 it could not start, 2 wrong usage or configuration.`;

export function addEmulator(program: Command, shell: Shell): void {
  program
    .command('emulator')
    .description('play WeChat on this machine, for an application or tests in any language')
    .option('--port <port>', 'where it listens; 0 for any free port (default: 3010)', port)
    .option('--config <file>', 'options as JSON: apps, users, and what varies; see docs/emulator.md')
    .option('--state <file>', 'keep tokens, consents and the clock in this file, over a restart')
    .option('--seed <text>', 'make codes and tokens repeatable')
    .option('--json', 'print one line of JSON when it is ready: { url, controlUrl, pid, apps, env }', false)
    .addHelpText('after', HELP)
    .action((options: EmulatorOptions) => emulate(options, shell));
}

async function emulate(options: EmulatorOptions, shell: Shell): Promise<void> {
  const { startEmulator } = await import('../emulator/start.js');
  const { startedJson, startedText } = await import('../emulator/report.js');
  const stopped = shell.untilStopped();
  const started = await startEmulator(options, shell.folder);
  try {
    shell.write(options.json ? startedJson(started) : startedText(started));
    await stopped;
  } finally {
    await started.wechat.close();
  }
}

function port(text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value > 65_535) {
    throw new InvalidArgumentError('It is a port, 0 to 65535.');
  }
  return value;
}
