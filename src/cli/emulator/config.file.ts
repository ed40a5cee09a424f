import { dirname, resolve } from 'node:path';
import type { WechatEmulatorOptions } from '../../emulator/emulator.options.js';
import { aText, base64, checked, wrongOption, type Check } from '../../emulator/settings.checks.js';
import { CommandFailure } from '../command.failure.js';
import { readTextFile } from '../text.file.js';

type Fields = Readonly<Record<string, unknown>>;

const anInstantText = checked(
  (value) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\d(T|$)/.test(value) && !Number.isNaN(Date.parse(value)),
  'give a time as ISO 8601 writes it, such as "2026-11-22T08:00:00Z"',
);

/**
 * Reads options of the emulator as JSON tells them: `now` is a text, `nicknameBytes` are base64, and a certificate may
 * be named by its files. Paths are those from the folder of the file. What the options may be is checked by the emulator.
 *
 * @throws {CommandFailure} if the file cannot be read or is not JSON.
 * @throws {WechatEmulatorError} if one of these is something else.
 */
export function readEmulatorConfig(path: string): WechatEmulatorOptions {
  const config = parseJson(path, readTextFile(path, { namedBy: '--config' }));
  if (!isObject(config)) throw notAnObject(path);
  const folder = dirname(path);
  const { now, users, stateFile, tls } = config;
  // Checked where the emulator starts.
  const options: Fields = {
    ...config,
    ...(now === undefined ? {} : { now: new Date(sure(now, 'options.now', anInstantText)) }),
    ...(Array.isArray(users) ? { users: users.map(userOf) } : {}),
    ...(typeof stateFile === 'string' ? { stateFile: resolve(folder, stateFile) } : {}),
    ...(isObject(tls) ? { tls: certificateOf(tls, path) } : {}),
  };
  return options;
}

function userOf(user: unknown, index: number): unknown {
  if (!isObject(user) || user['nicknameBytes'] === undefined) return user;
  const name = `options.users[${String(index)}].nicknameBytes`;
  return { ...user, nicknameBytes: Buffer.from(sure(user['nicknameBytes'], name, base64), 'base64') };
}

/** `cert` and `key` may stand there themselves as well. */
function certificateOf({ certFile, keyFile, ...others }: Fields, path: string): Fields {
  const read = (file: unknown, field: string): string =>
    readTextFile(resolve(dirname(path), sure(file, `options.tls.${field}`, aText)), {
      namedBy: `tls.${field} in ${path}`,
    });
  return {
    ...others,
    ...(certFile === undefined ? {} : { cert: read(certFile, 'certFile') }),
    ...(keyFile === undefined ? {} : { key: read(keyFile, 'keyFile') }),
  };
}

function sure(value: unknown, name: string, check: Check): string {
  const problem = check(value, name);
  if (problem !== undefined) throw wrongOption(problem);
  return String(value);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandFailure(
      {
        problem: `The file ${path} is not JSON${placeOf(error, text)}.`,
        cure: 'JSON has no comments, no comma after the last one, and "double quotes" around names and texts.',
      },
      { isWrongUsage: true },
    );
  }
}

/** Where it goes wrong; the words of the parser are left out, since they repeat the text, which may be a secret. */
function placeOf(error: unknown, text: string): string {
  const { message } = error as SyntaxError;
  if (/end of JSON/.test(message)) return ': it ends too early';
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position === undefined) return '';
  const before = text.slice(0, Number(position)).split('\n');
  return `: see line ${String(before.length)}, column ${String((before.at(-1) ?? '').length + 1)}`;
}

function notAnObject(path: string): CommandFailure {
  return new CommandFailure(
    {
      problem: `The file ${path} holds no options.`,
      cure: 'Put them into an object, such as { "port": 3010 }.',
    },
    { isWrongUsage: true },
  );
}
