import type { WechatEmulatorUser } from './emulator.options.js';
import type {
  WechatEmulator,
  WechatEmulatorEndpoint,
  WechatEmulatorFault,
  WechatEmulatorFaultOptions,
  WechatEmulatorRequest,
  WechatEmulatorUserControl,
} from './emulator.types.js';
import {
  aBoolean,
  aCount,
  aNumber,
  aText,
  base64,
  checked,
  fieldsOf,
  oneOf,
  optional,
  type Check,
} from './settings.checks.js';

/** As many as an answer holds unless more are asked for. */
const USERS_SHOWN = 50;
const REQUESTS_SHOWN = 1_000;

type Fields = Readonly<Record<string, Check>>;

/** One verb of the control API. */
export interface ControlVerb {
  readonly method: 'GET' | 'POST';
  /** What the query of a GET or the JSON body of a POST may hold. */
  readonly fields: Fields;
  /** @param input has been checked by `fields`. */
  readonly answer: Answer<unknown>;
}

/** The fields of `Input`, each with its check. */
type FieldsOf<Input> = Readonly<Record<keyof Input, Check>>;
/** @param openid is that in the path, for the verbs of users. */
type Answer<Input> = (emulator: WechatEmulator, input: Input, openid: string) => unknown;

interface Page {
  offset?: string;
  limit?: string;
}

interface RequestsPage extends Page {
  endpoint?: string;
  path?: string;
}

/** A fault as JSON can tell it: bytes are base64. */
interface JsonFault {
  body?: string;
  bodyBase64?: string;
}

interface AdvanceTime {
  ms: number;
}

interface SignInAs {
  openid: string;
}

interface OpenidAt {
  appId: string;
}

interface Switch {
  on?: boolean;
}

interface Authorize {
  scope: 'snsapi_base' | 'snsapi_userinfo';
  appId?: string;
}

interface FailNext extends WechatEmulatorFaultOptions {
  endpoint: WechatEmulatorEndpoint;
  fault: JsonFault;
}

const aWholeNumber = checked((value) => /^-?\d{1,15}$/.test(String(value)), 'give a whole number');
const aLimit = checked((value) => /^[1-9]\d{0,14}$/.test(String(value)), 'give a whole number of 1 or more');
const anEndpoint = oneOf('authorize', 'token', 'refresh', 'userinfo', 'auth');
const aScope = oneOf('snsapi_base', 'snsapi_userinfo');
const aContentType = checked(
  (value) => typeof value === 'string' && /^[\x20-\x7e]+$/.test(value),
  'give a content type, such as text/html',
);

const PAGE: FieldsOf<Page> = { offset: optional(aWholeNumber), limit: optional(aLimit) };
const REQUESTS_PAGE: FieldsOf<RequestsPage> = {
  ...PAGE,
  endpoint: optional(anEndpoint),
  path: optional(aText),
};
const ADVANCE_TIME: FieldsOf<AdvanceTime> = { ms: aNumber };
const SIGN_IN_AS: FieldsOf<SignInAs> = { openid: aText };
const OPENID_AT: FieldsOf<OpenidAt> = { appId: aText };
const SWITCH: FieldsOf<Switch> = { on: optional(aBoolean) };
const AUTHORIZE: FieldsOf<Authorize> = { scope: aScope, appId: optional(aText) };

/** Which of them fit together is up to `failNext`. */
const FAULT: Fields = {
  errcode: optional(aNumber),
  errmsg: optional(aText),
  status: optional(aNumber),
  body: optional(aText),
  bodyBase64: optional(base64),
  contentType: optional(aContentType),
  bodyBytes: optional(aNumber),
  hang: optional(aBoolean),
  cut: optional(aBoolean),
  delayMs: optional(aNumber),
};

const FAIL_NEXT: FieldsOf<FailNext> = {
  endpoint: anEndpoint,
  fault: aFault,
  times: optional(aCount),
  share: optional(aNumber),
  durationMs: optional(aNumber),
};

/** By what follows `/emulator` in the path. */
export const CONTROL_VERBS: ReadonlyMap<string, ControlVerb> = verbs({
  '': read({}, overview),
  '/users': read<Page>(PAGE, usersPage),
  '/requests': read<RequestsPage>(REQUESTS_PAGE, requestsPage),
  '/advance-time': act<AdvanceTime>(ADVANCE_TIME, advanceTime),
  '/fail-next': act<FailNext>(FAIL_NEXT, failNext),
  '/clear-faults': act({}, (emulator) => emulator.clearFaults()),
  '/sign-in-as': act<SignInAs>(SIGN_IN_AS, (emulator, { openid }) => emulator.signInAs(openid)),
  '/reset': act({}, (emulator) => emulator.reset()),
});

/** By what follows `/emulator/users/<openid>` in the path. */
export const USER_VERBS: ReadonlyMap<string, ControlVerb> = verbs({
  '': read({}, (emulator, _, openid) => userOf(emulator, openid)),
  '/openid-at': read<OpenidAt>(OPENID_AT, openidAt),
  '/follow': userAct({}, (user) => user.follow()),
  '/unfollow': userAct({}, (user) => user.unfollow()),
  '/open-from-chat': userAct<Switch>(SWITCH, (user, { on }) => user.openFromChat(on)),
  '/change-password': userAct({}, (user) => user.changePassword()),
  '/withdraw-consent': userAct({}, (user) => user.withdrawConsent()),
  '/deregister': userAct({}, (user) => user.deregister()),
  '/snapshot': userAct<Switch>(SWITCH, (user, { on }) => user.snapshot(on)),
  '/authorize': userAct<Authorize>(AUTHORIZE, (user, { scope, appId }) => user.authorize(scope, appId)),
});

function verbs(byPath: Readonly<Record<string, ControlVerb>>): ReadonlyMap<string, ControlVerb> {
  return new Map(Object.entries(byPath));
}

function read<Input>(fields: FieldsOf<Input>, answer: Answer<Input>): ControlVerb {
  return {
    method: 'GET',
    fields,
    answer: (emulator, input, openid) => answer(emulator, input as Input, openid),
  };
}

function act<Input>(fields: FieldsOf<Input>, answer: Answer<Input>): ControlVerb {
  return { ...read(fields, answer), method: 'POST' };
}

function userAct<Input>(
  fields: FieldsOf<Input>,
  answer: (user: WechatEmulatorUserControl, input: Input) => unknown,
): ControlVerb {
  return act<Input>(fields, (emulator, input, openid) => answer(emulator.user(openid), input));
}

function overview(emulator: WechatEmulator): object {
  const { url, tlsUrl, openBaseUrl, apiBaseUrl, apps, users } = emulator;
  return {
    url,
    tlsUrl,
    openBaseUrl,
    apiBaseUrl,
    now: emulator.now(),
    apps,
    users: users.slice(0, USERS_SHOWN),
    usersTotal: users.length,
    requestsTotal: emulator.requests.length,
  };
}

function usersPage({ users }: WechatEmulator, { offset = '0', limit = String(USERS_SHOWN) }: Page): object {
  const begin = placeIn(users, offset);
  const page = users.slice(begin, begin + Number(limit));
  return { users: page, next: begin + page.length, total: users.length };
}

/** What a person has become, found by the openid at any of the apps. */
function userOf(emulator: WechatEmulator, openid: string): WechatEmulatorUser | undefined {
  const atFirstApp = emulator.user(openid).openidAt(emulator.apps[0]?.appId ?? '');
  return emulator.users.find((each) => each.openid === atFirstApp);
}

function openidAt(emulator: WechatEmulator, { appId }: OpenidAt, openid: string): object {
  return { openid: emulator.user(openid).openidAt(appId) };
}

/** Those that do not fit are passed over, and `next` is behind them. */
function requestsPage(
  { requests }: WechatEmulator,
  { offset = '0', limit = String(REQUESTS_SHOWN), endpoint, path }: RequestsPage,
): object {
  const found: WechatEmulatorRequest[] = [];
  let next = placeIn(requests, offset);
  for (; next < requests.length && found.length < Number(limit); next += 1) {
    const request = requests[next];
    const fits =
      (endpoint ?? request?.endpoint) === request?.endpoint && (path ?? request?.path) === request?.path;
    if (request && fits) found.push(request);
  }
  return { requests: found, next, total: requests.length };
}

/** An offset below 0 counts from the end, as that of `slice` does. */
function placeIn({ length }: { readonly length: number }, offset: string): number {
  const place = Number(offset);
  return Math.min(place < 0 ? Math.max(length + place, 0) : place, length);
}

async function advanceTime(emulator: WechatEmulator, { ms }: AdvanceTime): Promise<object> {
  await emulator.advanceTime(ms);
  return { now: emulator.now() };
}

async function failNext(emulator: WechatEmulator, { endpoint, fault, ...options }: FailNext): Promise<void> {
  const { bodyBase64, ...others } = fault;
  const body = bodyBase64 === undefined ? {} : { body: Buffer.from(bodyBase64, 'base64') };
  // As one of its kinds, or it is refused.
  await emulator.failNext(endpoint, { ...others, ...body } as WechatEmulatorFault, options);
}

function aFault(value: unknown, name: string): string | undefined {
  const problem = fieldsOf(FAULT)(value, name);
  if (problem !== undefined) return problem;
  const { body, bodyBase64 } = value as JsonFault;
  return body === undefined || bodyBase64 === undefined
    ? undefined
    : `${name} has both body and bodyBase64: give one of them.`;
}
