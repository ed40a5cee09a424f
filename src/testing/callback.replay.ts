import type { Server } from 'node:http';
import { parseSetCookie } from 'cookie';
import { WechatError } from '../common/errors.js';
import type { WechatSession, WechatSessionScope } from '../common/session.js';
import { Browsers } from '../sign-in/browser.js';
import { ExchangeClaims } from '../sign-in/exchange.claims.js';
import { publicUrlId, PublicUrls } from '../sign-in/public-urls.js';
import { States } from '../sign-in/state.js';
import { SignInTickets } from '../sign-in/ticket.js';
import { injectGet } from './http.injection.js';
import type { ModuleParts } from './module.parts.js';
import { CookieCollector, cookieHeader, type SessionCookie, sessionCookie } from './session.cookies.js';

/**
 * Lets the application itself write a session, to a response of its own: it gets a callback whose sign-in has
 * completed before, which it answers from the stored outcome, without a word to WeChat.
 *
 * @throws {WechatError} `session_not_written` if something else answers the request, or no cookie comes of it.
 */
export async function replayCallback(
  module: ModuleParts,
  session: WechatSession,
  scope: WechatSessionScope,
): Promise<SessionCookie[]> {
  const { origin, host, basePath } = scope.publicUrl;
  const collector = new CookieCollector();
  const browserId = module.get(Browsers).ensureId(collector.of(), scope);
  const { pathname, search } = await completedCallback(module, session, scope, browserId);
  const path = pathname.slice(basePath.length);
  const headers = {
    host,
    // As the proxy in front would say it: a store's cookie may be for https alone.
    'x-forwarded-proto': new URL(origin).protocol.replace(':', ''),
    accept: 'text/html',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    cookie: cookieHeader(collector.cookies),
  };
  const { status, setCookies } = await injectGet(
    module.app.getHttpServer() as Server,
    path + search,
    headers,
  ).catch((cause: unknown) => {
    throw notWritten(path, 'There was no answer', { cause });
  });
  if (status !== 303 || setCookies.length === 0) {
    throw notWritten(path, `The answer has the status ${status} and ${setCookies.length} cookies`);
  }
  return setCookies.map((line) => {
    const { name, value = '', ...attributes } = parseSetCookie(line, { decode: (raw) => raw });
    return sessionCookie(name, value, attributes, scope.publicUrl);
  });
}

function notWritten(path: string, what: string, options?: ErrorOptions): WechatError {
  return new WechatError(
    'session_not_written',
    'signInWechatUser: the session store of this application writes to a response, so the application was sent a ' +
      `callback, GET ${path}. ${what}; a 303 that sets a cookie was expected. Let the request through, whatever ` +
      'answers it before the module does. If the store keeps its sessions without a cookie, write one with the ' +
      'store itself.',
    options,
  );
}

/** @returns the address of a callback that has ended in this session already. */
async function completedCallback(
  module: ModuleParts,
  session: WechatSession,
  { appId, publicUrl }: WechatSessionScope,
  browserId: string,
): Promise<URL> {
  const sealedTicket = module.get(SignInTickets).seal({
    appId,
    scope: 'base',
    goal: 'base',
    prompt: 'direct',
    publicUrlId: publicUrlId(publicUrl),
    returnPath: '/',
    attempt: 1,
    asked: false,
    renewal: false,
    issuedAt: module.clock.now(),
  });
  const state = module.get(States).issue(sealedTicket, browserId);
  const code = module.randomness.bytes(16).toString('hex');
  const claim = await module.get(ExchangeClaims).take({ appId, scope: 'base', state, code, browserId });
  await claim?.complete(session);
  return new URL(module.get(PublicUrls).route(publicUrl, 'callback', { t: sealedTicket, code, state }));
}
