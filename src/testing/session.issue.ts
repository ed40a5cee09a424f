import { Sealer } from '../common/sealer.js';
import { type WechatSession, type WechatSessionScope, WechatSessionStore } from '../common/session.js';
import { CookieSessionStore } from '../sign-in/cookie-session.store.js';
import { replayCallback } from './callback.replay.js';
import type { ModuleParts } from './module.parts.js';
import { CookieCollector, type SessionCookie, sessionCookie } from './session.cookies.js';

/** @returns the cookies that the application's session store gives a browser for this session. */
export async function issueSession(
  module: ModuleParts,
  session: WechatSession,
  scope: WechatSessionScope,
): Promise<SessionCookie[]> {
  // A store of the host's writes to a response of the platform, and only a request has one.
  if (!(module.get(WechatSessionStore) instanceof CookieSessionStore)) {
    return replayCallback(module, session, scope);
  }
  const collector = new CookieCollector();
  new CookieSessionStore(collector, module.get(Sealer), module.clock).write(undefined, session, scope);
  return collector.cookies.map(({ name, value, options }) =>
    sessionCookie(name, value, options, scope.publicUrl),
  );
}
