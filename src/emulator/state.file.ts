import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { WechatEmulatorError } from './emulator.errors.js';
import type { EmulatorState } from './emulator.state.js';

type Kind = 'string' | 'number' | 'boolean';
type Shape = Readonly<Record<string, Kind>>;

const SUBJECT: Shape = { openid: 'string', userId: 'string', snapshot: 'boolean' };

const TOP: Shape = {
  seed: 'string',
  randomPosition: 'number',
  clockOffsetMs: 'number',
  firstEntry: 'number',
  entryCount: 'number',
};

const PAIR: Shape = {
  scope: 'string',
  accessSerial: 'number',
  accessMonth: 'number',
  accessExpiresAtMs: 'number',
  refreshSerial: 'number',
  refreshMonth: 'number',
  refreshExpiresAtMs: 'number',
  passwordChanged: 'boolean',
  consentWithdrawn: 'boolean',
};

const LISTS: Readonly<Record<string, Shape>> = {
  users: {
    userId: 'string',
    follows: 'boolean',
    snapshot: 'boolean',
    deregistered: 'boolean',
    opensFromChat: 'boolean',
  },
  entries: { ...SUBJECT, number: 'number', appId: 'string', serial: 'number' },
  pending: {
    uuid: 'string',
    appId: 'string',
    userId: 'string',
    scope: 'string',
    redirectUri: 'string',
    state: 'string',
    once: 'boolean',
    shownAtMs: 'number',
  },
  codes: {
    ...SUBJECT,
    code: 'string',
    appId: 'string',
    scope: 'string',
    issuedAtMs: 'number',
    used: 'boolean',
  },
};

/** Keeps {@link EmulatorState} in a file. */
export class StateFile {
  constructor(private readonly path: string) {}

  /** @returns what the file holds, or `undefined` if there is no file yet. */
  load(): EmulatorState | undefined {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        return undefined;
      }
      throw this.failure('cannot be read', error, 'Make it readable, or give another stateFile');
    }
    try {
      return parseState(text);
    } catch (error) {
      throw this.failure('is not a state of this emulator', error, 'Delete it to start afresh');
    }
  }

  /**
   * Writes all of it. The work is synchronous so that an answer never leaves before its effects are kept, and the
   * file changes by a rename so that a crash leaves the former state rather than half of the new one.
   */
  save(state: EmulatorState): void {
    const draft = `${this.path}.${String(process.pid)}.tmp`;
    try {
      writeFileSync(draft, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
      renameSync(draft, this.path);
    } catch (error) {
      throw this.failure('cannot be written', error, 'Its folder must exist and be writable');
    }
  }

  private failure(problem: string, cause: unknown, cure: string): WechatEmulatorError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new WechatEmulatorError(
      'emulator_state_file',
      `The emulator's state file ${this.path} ${problem} (${reason}). ${cure}.`,
      { cause },
    );
  }
}

function parseState(text: string): EmulatorState {
  const value: unknown = JSON.parse(text);
  const version: unknown = isObject(value) ? value['version'] : undefined;
  if (version !== 2) {
    throw new Error(`version is ${JSON.stringify(version)}, not 2`);
  }
  checkShape(value, TOP, 'state');
  const fields = value as Record<string, unknown>;
  checkShape(fields['signedIn'], { userId: 'string', count: 'number' }, 'signedIn');
  for (const [name, shape] of Object.entries(LISTS)) {
    const list = fields[name];
    if (!Array.isArray(list)) {
      throw new Error(`${name} is not a list`);
    }
    list.forEach((entry, index) => {
      checkShape(entry, shape, `${name}[${String(index)}]`);
    });
  }
  const state = value as EmulatorState;
  for (const { number, pair } of state.entries) {
    if (pair) checkShape(pair, PAIR, `entries of number ${String(number)}.pair`);
  }
  return state;
}

function checkShape(value: unknown, shape: Shape, name: string): void {
  for (const [field, kind] of Object.entries(shape)) {
    if (!isObject(value) || typeof value[field] !== kind) {
      throw new Error(`${name}.${field} is not a ${kind}`);
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
