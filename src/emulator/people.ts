import { WechatEmulatorError } from './emulator.errors.js';
import type { WechatEmulatorUser } from './emulator.options.js';
import { deriveOpenid } from './identifiers.js';

/** What changes about a person. */
export interface PersonState {
  readonly follows: boolean;
  /** Pages that ask for the profile open as snapshot pages. */
  readonly snapshot: boolean;
  readonly deregistered: boolean;
  /** Pages are opened from the account's chat or menu. */
  readonly opensFromChat: boolean;
}

/** What a person is before anything has happened. People whom the emulator makes up share theirs. */
export interface PersonDefinition {
  /** `undefined`: the emulator makes one up. */
  readonly openid: string | undefined;
  readonly unionid: string | undefined;
  readonly nickname: string;
  readonly nicknameBytes: Uint8Array | undefined;
  /** `undefined`: the emulator draws one. */
  readonly headimgurl: string | undefined;
  readonly privilege: readonly string[];
  readonly firstState: PersonState;
}

/** The WeChat that people use. */
export interface PeopleHome {
  readonly origin: string;
  /** Is told of everybody whose state was changed. */
  readonly changedPeople: Set<Person>;
}

/** Somebody who uses WeChat, known by the openid at the first app. */
export class Person implements WechatEmulatorUser {
  state: PersonState;

  constructor(
    readonly openid: string,
    readonly definition: PersonDefinition,
    private readonly home: PeopleHome,
  ) {
    this.state = definition.firstState;
  }

  get unionid(): string | undefined {
    return this.definition.unionid;
  }

  get nickname(): string {
    return this.definition.nickname;
  }

  /** The size is the last part of the path, as in WeChat's own addresses. */
  get headimgurl(): string {
    const { definition, home, openid } = this;
    return definition.headimgurl ?? `${home.origin}/mmopen/vi_32/${encodeURIComponent(openid)}/132`;
  }

  get follows(): boolean {
    return this.state.follows;
  }

  change(change: Partial<PersonState>): void {
    this.state = { ...this.state, ...change };
    this.home.changedPeople.add(this);
  }

  /** Whether the state is not the one that the definition has. */
  get hasChanged(): boolean {
    const { state, definition } = this;
    const { follows, snapshot, deregistered, opensFromChat } = definition.firstState;
    return (
      state !== definition.firstState &&
      (state.follows !== follows ||
        state.snapshot !== snapshot ||
        state.deregistered !== deregistered ||
        state.opensFromChat !== opensFromChat)
    );
  }

  toJSON(): WechatEmulatorUser {
    const { openid, unionid, nickname, headimgurl, follows } = this;
    return { openid, ...(unionid === undefined ? {} : { unionid }), nickname, headimgurl, follows };
  }
}

/** Everybody, found by the openid at any of the apps. */
export class People {
  readonly all: readonly Person[];
  private readonly byOpenid = new Map<string, Person>();

  constructor(
    definitions: readonly PersonDefinition[],
    private readonly appIds: readonly string[],
    home: PeopleHome,
  ) {
    this.all = definitions.map((definition, index) => {
      const openid = definition.openid ?? deriveOpenid('user', String(index));
      return new Person(openid, definition, home);
    });
    for (const person of this.all) {
      for (const appId of appIds) this.byOpenid.set(this.openidAt(appId, person), person);
    }
  }

  find(openid: string): Person | undefined {
    return this.byOpenid.get(openid);
  }

  /** @throws {WechatEmulatorError} if there is nobody with this openid. */
  get(openid: string): Person {
    const person = this.find(openid);
    if (person) return person;
    const some = this.all.slice(0, 5).map((each) => each.openid);
    const more = this.all.length > some.length ? ` and ${String(this.all.length - some.length)} more` : '';
    throw new WechatEmulatorError(
      'emulator_argument',
      `The emulator has no user with the openid ${JSON.stringify(openid)}. It has ${some.join(', ')}${more}.`,
    );
  }

  /** @returns who was there first, and is signed in until somebody else is. */
  first(): Person {
    const [first] = this.all;
    if (!first) throw new Error('The emulator has no user at all.');
    return first;
  }

  /** An openid differs from app to app. */
  openidAt(appId: string, { openid }: Person): string {
    return appId === this.appIds[0] ? openid : deriveOpenid('openid', appId, openid);
  }

  reset(): void {
    for (const person of this.all) person.state = person.definition.firstState;
  }
}
