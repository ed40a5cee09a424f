import type { CodeRecord, Entry, Subject, TokenPair, WireScope } from './emulator.state.js';
import { createAuthorizationCode, deriveOpenid } from './identifiers.js';
import type { FoundToken } from './ledger.js';
import type { Person } from './people.js';
import type { Profile, WechatPlatform } from './platform.js';
import { SnsError } from './sns.errors.js';
import { TokenMint } from './token.mint.js';

const MINUTE_MS = 60_000;
/** How long a code, once used, is known as used (a guess: replays hours later have been seen to answer 40029). */
const CODE_MEMORY_MS = 60 * MINUTE_MS;
export const ACCESS_TOKEN_LIFETIME_S = 7200;
const ACCESS_TOKEN_LIFETIME_MS = ACCESS_TOKEN_LIFETIME_S * 1000;

/** An app, or a third-party platform on behalf of one. */
export interface AppIdentity {
  appId: string;
  componentAppId?: string | undefined;
}

/** A pair, and whose it is. */
export interface Grant {
  entry: Entry;
  pair: TokenPair;
}

/** Authorizes a user and gives out the code that says so. */
export function issueCode(
  platform: WechatPlatform,
  app: AppIdentity,
  person: Person,
  scope: WireScope,
): CodeRecord {
  if (scope === 'snsapi_userinfo') recordConsent(platform, app.appId, person);
  return addCode(platform, app, scope, platform.subjectOf(app.appId, person));
}

/** Authorizes a user and exchanges the code, in one step. */
export function authorizeAtOnce(
  platform: WechatPlatform,
  appId: string,
  person: Person,
  scope: WireScope,
): Grant {
  if (scope === 'snsapi_userinfo') recordConsent(platform, appId, person);
  return issuePair(platform, platform.ledger.entryOf(appId, platform.subjectOf(appId, person)), scope);
}

/**
 * An authorization without a page counts too: it is the recent authorization that spares the user the page, by the
 * little that WeChat says about it.
 */
function recordConsent(platform: WechatPlatform, appId: string, person: Person): void {
  const { ledger } = platform;
  const entry = ledger.entryOf(appId, platform.subjectOf(appId, person));
  ledger.put({ ...entry, consentedAtMs: platform.nowMs() });
}

/** Gives out a code for a virtual user, a new one each time, as a snapshot page gets it. */
export function issueSnapshotCode(platform: WechatPlatform, app: AppIdentity, person: Person): CodeRecord {
  const openid = deriveOpenid('virtual', platform.draw(createAuthorizationCode));
  return addCode(platform, app, 'snsapi_userinfo', { openid, userId: person.openid, snapshot: true });
}

function addCode(
  platform: WechatPlatform,
  { appId, componentAppId }: AppIdentity,
  scope: WireScope,
  subject: Subject,
): CodeRecord {
  const { ledger } = platform;
  const memoryMs = Math.max(CODE_MEMORY_MS, platform.settings.codeLifetimeMs ?? 0);
  ledger.forgetBefore(platform.nowMs() - memoryMs);
  const record: CodeRecord = {
    ...subject,
    code: platform.draw(createAuthorizationCode),
    appId,
    ...(componentAppId === undefined ? {} : { componentAppId }),
    scope,
    issuedAtMs: platform.nowMs(),
    used: false,
  };
  ledger.codes.set(record.code, record);
  return record;
}

/**
 * Exchanges a code for tokens. An attempt that fails uses the code up as well (one public report: 40029 first, 40163
 * from then on), and so does one by another app.
 */
export function redeemCode(platform: WechatPlatform, app: AppIdentity, code: string): Grant {
  const record = platform.ledger.codes.get(code);
  if (!record) {
    throw new SnsError(40029);
  }
  if (record.used) {
    throw new SnsError(platform.nowMs() < record.issuedAtMs + CODE_MEMORY_MS ? 40163 : 40029);
  }
  const isTheirs = record.appId === app.appId && record.componentAppId === app.componentAppId;
  if (!isTheirs || platform.nowMs() >= record.issuedAtMs + codeLifetimeMs(platform, record)) {
    if (platform.settings.failedExchangeBurnsCode) platform.ledger.useUp(record);
    throw new SnsError(40029);
  }
  platform.ledger.useUp(record);
  return issuePair(platform, platform.ledger.entryOf(record.appId, record), record.scope);
}

/** The open platform, which has the websites and the third-party platforms, speaks of 10 minutes; service accounts have 5. */
function codeLifetimeMs({ settings }: WechatPlatform, { scope, componentAppId }: CodeRecord): number {
  const isOpenPlatforms = scope === 'snsapi_login' || componentAppId !== undefined;
  return settings.codeLifetimeMs ?? (isOpenPlatforms ? 10 : 5) * MINUTE_MS;
}

/** Gives a user's entry a new pair, which ends the one before. */
function issuePair(platform: WechatPlatform, entry: Entry, scope: WireScope): Grant {
  const nowMs = platform.nowMs();
  const month = TokenMint.monthOf(nowMs);
  const pair: TokenPair = {
    scope,
    accessSerial: entry.serial + 1,
    accessMonth: month,
    accessExpiresAtMs: nowMs + ACCESS_TOKEN_LIFETIME_MS,
    refreshSerial: entry.serial + 2,
    refreshMonth: month,
    refreshExpiresAtMs: nowMs + platform.settings.refreshTokenLifetimeMs,
    passwordChanged: false,
    consentWithdrawn: false,
  };
  entry.serial += 2;
  entry.pair = pair;
  platform.ledger.put(entry);
  return { entry, pair };
}

/** Uses up a code whose exchange WeChat lost to a failure of its own. */
export function burnCode(platform: WechatPlatform, code: string): void {
  const record = platform.ledger.codes.get(code);
  if (record) platform.ledger.useUp(record);
}

/**
 * Gives an access token another 7200 s; a new one only if the old one has expired. The refresh token stays the same
 * and its end where it was.
 *
 * A refresh token that a later authorization replaced answers 40030: no capture shows which of 40030 and 42002 it
 * is, and 40030 is the one documented for a refresh token that is not valid.
 */
export function refreshPair(platform: WechatPlatform, appId: string, refreshToken: string): Grant {
  const { settings } = platform;
  const found = platform.ledger.findToken('refresh', refreshToken);
  if (found.kind === 'superseded' && found.entry.appId === appId) {
    throw new SnsError(settings.supersededRefreshToken);
  }
  if (found.kind !== 'latest' || found.entry.appId !== appId) {
    throw new SnsError(40030);
  }
  const { entry, pair } = found;
  const nowMs = platform.nowMs();
  if (pair.passwordChanged) {
    throw new SnsError(42007);
  }
  if (nowMs >= pair.refreshExpiresAtMs) {
    throw new SnsError(42002);
  }
  if (platform.people.get(entry.userId).state.deregistered) {
    throw new SnsError(50002);
  }
  if (nowMs >= pair.accessExpiresAtMs || !settings.refreshKeepsAccessToken) {
    entry.serial += 1;
    pair.accessSerial = entry.serial;
    pair.accessMonth = TokenMint.monthOf(nowMs);
  }
  pair.accessExpiresAtMs = nowMs + ACCESS_TOKEN_LIFETIME_MS;
  if (settings.slidingRefreshToken) {
    pair.refreshExpiresAtMs = nowMs + settings.refreshTokenLifetimeMs;
  }
  platform.ledger.put(entry);
  return found;
}

/** @returns the pair of an access token that is good at this moment. */
export function verifyAccessToken(platform: WechatPlatform, found: FoundToken): Grant {
  if (found.kind !== 'latest') {
    throw new SnsError(40001);
  }
  if (found.pair.passwordChanged) {
    throw new SnsError(42007);
  }
  if (platform.nowMs() >= found.pair.accessExpiresAtMs) {
    throw new SnsError(42001);
  }
  return found;
}

/** @returns the profile that a pair may read. */
export function readProfile(platform: WechatPlatform, { entry, pair }: Grant): Profile {
  const { settings } = platform;
  // Not documented for /sns. 50001 is WeChat's word for an API the user has not allowed, 48001 for one the token
  // was never good for; so the first is for a consent that was given and taken back.
  if (pair.scope === 'snsapi_userinfo' && pair.consentWithdrawn) {
    throw new SnsError(settings.withdrawnConsent);
  }
  if (pair.scope === 'snsapi_base' && !remembersConsent(platform, entry)) {
    throw new SnsError(48001);
  }
  if (entry.snapshot && settings.snapshotProfile === 48001) {
    throw new SnsError(48001);
  }
  return platform.profileOf(entry);
}

/**
 * The scope as the refresh call tells it: once the user has consented it is all that was ever granted, with a comma
 * at the end.
 */
export function accumulatedScope(platform: WechatPlatform, { entry, pair }: Grant): string {
  if (pair.scope === 'snsapi_login') return pair.scope;
  const isUserinfo = pair.scope === 'snsapi_userinfo' && !pair.consentWithdrawn;
  return isUserinfo || remembersConsent(platform, entry) ? 'snsapi_base,snsapi_userinfo,' : 'snsapi_base';
}

function remembersConsent(platform: WechatPlatform, entry: Entry): boolean {
  return platform.settings.grantMemory && !entry.snapshot && platform.hasLiveConsent(entry);
}
