import { closeSync, constants, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { WechatEmulatorError } from './emulator.errors.js';
import type { EmulatorState } from './emulator.state.js';
import { StateLock } from './state.lock.js';

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

/** Changes shorter than this are not worth a file that is written anew. */
const CHANGES_BYTES = 1024 * 1024;

/**
 * Keeps {@link EmulatorState} in a file of lines. The first line has all of it and each one after it a change, so that
 * what a request costs does not grow with what there is. When the changes are longer than the first line, the file is
 * written anew.
 *
 * The work is synchronous so that an answer never leaves before its effects are kept. A file is replaced by a rename,
 * and a change counts once its line has an end, so that a crash leaves the former state rather than half of a new one.
 */
export class StateFile {
  private readonly lock: StateLock;
  /** How much may be appended yet. */
  private bytesLeft = 0;

  constructor(private readonly path: string) {
    this.lock = new StateLock(`${path}.lock`);
  }

  /**
   * Takes the file for this emulator alone, until {@link close}.
   *
   * @returns what it holds, or `undefined` if there is no file yet.
   */
  open(): EmulatorState | undefined {
    const holder = this.attempt(() => this.lock.take());
    if (holder !== undefined) {
      throw new WechatEmulatorError(
        'emulator_state_file',
        `The emulator's state file ${this.path} is in use by the process ${String(holder)}. Stop the emulator there, or give another stateFile; if that process is something else, delete ${this.lock.path}.`,
      );
    }
    try {
      return this.load();
    } catch (error) {
      this.lock.release();
      throw error;
    }
  }

  close(): void {
    this.lock.release();
  }

  /** Whether all has to be written, rather than a change. */
  get needsAll(): boolean {
    return this.bytesLeft <= 0;
  }

  rewriteNext(): void {
    this.bytesLeft = 0;
  }

  write(state: EmulatorState): void {
    const draft = `${this.path}.${String(process.pid)}.tmp`;
    const line = `${JSON.stringify(state)}\n`;
    this.attempt(() => {
      writeFileSync(draft, line, { mode: 0o600 });
      renameSync(draft, this.path);
    });
    this.bytesLeft = Math.max(CHANGES_BYTES, line.length);
  }

  /** Adds a change. If that fails, {@link needsAll}: part of the line may be there, or the file may be gone. */
  append(change: EmulatorState): void {
    const line = `${JSON.stringify(change)}\n`;
    try {
      // Not by appendFileSync, which would begin a new file with a change of nothing.
      const file = openSync(this.path, constants.O_WRONLY | constants.O_APPEND);
      try {
        writeFileSync(file, line);
      } finally {
        closeSync(file);
      }
      this.bytesLeft -= line.length;
    } catch {
      this.rewriteNext();
    }
  }

  private load(): EmulatorState | undefined {
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
      return parseFile(text);
    } catch (error) {
      throw this.failure('is not a state of this emulator', error, 'Delete it to start afresh');
    }
  }

  private attempt<Outcome>(write: () => Outcome): Outcome {
    try {
      return write();
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

function parseFile(text: string): EmulatorState {
  // What follows the last end of a line is nothing, or a change that a crash has cut off.
  const lines = text.split('\n').slice(0, -1);
  if (lines.length === 0) throw new Error('it has no whole line');
  return merged(lines.map(parseState));
}

/** @returns what the first state has become by the others, which are changes. */
function merged(states: readonly EmulatorState[]): EmulatorState {
  const users = new Map<string, EmulatorState['users'][number]>();
  const entries = new Map<number, EmulatorState['entries'][number]>();
  const pending = new Map<string, EmulatorState['pending'][number]>();
  const codes = new Map<string, EmulatorState['codes'][number]>();
  for (const state of states) {
    for (const user of state.users) users.set(user.userId, user);
    for (const entry of state.entries) entries.set(entry.number, entry);
    for (const page of state.pending) pending.set(page.uuid, page);
    for (const code of state.codes) codes.set(code.code, code);
    for (const key of state.gone) {
      pending.delete(key);
      codes.delete(key);
    }
  }
  const latest = states[states.length - 1] as EmulatorState;
  return {
    ...latest,
    users: [...users.values()],
    entries: [...entries.values()],
    pending: [...pending.values()],
    codes: [...codes.values()],
    gone: [],
  };
}

function parseState(text: string): EmulatorState {
  const value: unknown = JSON.parse(text);
  const version: unknown = isObject(value) ? value['version'] : undefined;
  if (version !== 3) {
    throw new Error(`version is ${JSON.stringify(version)}, not 3`);
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
  if (!Array.isArray(fields['gone'])) throw new Error('gone is not a list');
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
