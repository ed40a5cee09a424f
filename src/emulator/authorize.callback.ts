import { repeatingPage, restoredPage } from './authorize.pages.js';
import type { CodeRecord } from './emulator.state.js';
import type { AppIdentity } from './grants.js';
import { redirectResponse, type EmulatorResponse } from './http.messages.js';
import type { WechatPlatform } from './platform.js';

/** Where an authorization leads back to. */
interface Destination extends AppIdentity {
  redirectUri: string;
  state: string;
  once: boolean;
}

/** A refusal as the callback is told of it; empty where it is told nothing. */
type Denial = Readonly<Record<string, string>>;

/** How long the exchange of a code that comes twice takes, in milliseconds: until both callbacks are under way. */
const BOTH_UNDER_WAY_MS = 400;

/**
 * Sends the browser back to the app, twice if callbacks come twice. One redirect cannot do that, so a page does.
 *
 * @param draw called for each code that is needed.
 */
export function callbackResponse(
  platform: WechatPlatform,
  destination: Destination,
  draw: () => CodeRecord | Denial,
): EmulatorResponse {
  const first = draw();
  const address = callbackAddress(destination, first);
  const { doubleCallback } = platform.settings;
  if (doubleCallback === undefined || destination.once || !isCode(first)) {
    return redirectResponse(address);
  }
  if (doubleCallback === 'restored') return restoredPage(address);
  first.exchangeDelayMs = BOTH_UNDER_WAY_MS;
  const second = doubleCallback === 'two-codes' ? callbackAddress(destination, draw()) : address;
  return repeatingPage(address, second);
}

/** `code`, then `state`, before the fragment and behind the redirect URI's own query. */
function callbackAddress(
  { redirectUri, state, appId, componentAppId }: Destination,
  outcome: CodeRecord | Denial,
): string {
  const [, base = '', fragment = ''] = /^([^#]*)(.*)$/s.exec(redirectUri) ?? [];
  const parameters = {
    ...(isCode(outcome) ? { code: outcome.code, state } : { state, ...outcome }),
    // A third-party platform is told which of its accounts it is about.
    ...(componentAppId === undefined ? {} : { appid: appId }),
  };
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  // A parameter of this very name gets lost, by one report.
  const kept = base.replace(
    /([?&])openId=[^&]*(&|$)/,
    (_all, before: string, after: string) => after && before,
  );
  return `${kept}${kept.includes('?') ? '&' : '?'}${pairs.join('&')}${fragment}`;
}

function isCode(outcome: CodeRecord | Denial): outcome is CodeRecord {
  return 'issuedAtMs' in outcome;
}
