import { repeatingPage, restoredPage } from './authorize.pages.js';
import type { CodeRecord } from './emulator.state.js';
import type { AppIdentity } from './grants.js';
import { redirectResponse, type EmulatorRequest, type EmulatorResponse } from './http.messages.js';
import type { Takeover } from './http.server.js';
import type { WechatPlatform } from './platform.js';

/** Where an authorization leads back to. */
interface Destination extends AppIdentity {
  redirectUri: string;
  state: string;
  once: boolean;
}

/** A refusal as the callback is told of it; empty where it is told nothing. */
type Denial = Readonly<Record<string, string>>;

/** What a page that goes to a callback twice asks, and then goes to. */
export const SECOND_CALLBACK_PATH = '/emulator/second-callback';

/**
 * How long the exchange of a code whose callback comes twice is held back, in milliseconds of real time, so that the page
 * can leave for the second callback. Before the exchange the first callback may not even have been sent; after it its
 * answer replaces the page.
 */
const HELD_BACK_MS = 400;

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
  first.secondCallback = doubleCallback === 'two-codes' ? callbackAddress(destination, draw()) : address;
  return repeatingPage(address, first.secondCallback, `${SECOND_CALLBACK_PATH}?code=${first.code}`);
}

/** `GET /emulator/second-callback?code=...`: leads there, once the exchange of the code of the first one has begun. */
export function answerSecondCallback(platform: WechatPlatform, request: EmulatorRequest): Takeover {
  const record = platform.ledger.codes.get(request.parameter('code'));
  return (_message, response) => {
    const goOn = (): void => {
      const { status, headers } = redirectResponse(record?.secondCallback ?? '/');
      response.writeHead(status, headers).end();
    };
    if (!record || record.used) goOn();
    else platform.secondCallbacks.wait(record.code, response, goOn);
  };
}

/** Lets the page of a code whose callback comes twice go on to the second one, and holds the answer back meanwhile. */
export function heldBack(
  platform: WechatPlatform,
  request: EmulatorRequest,
  response: EmulatorResponse,
): EmulatorResponse {
  if (platform.settings.doubleCallback === undefined) return response;
  const record = platform.ledger.codes.get(request.parameter('code'));
  if (!record?.used || record.secondCallback === undefined) return response;
  platform.secondCallbacks.exchangeBegins(record.code);
  return { ...response, delayMs: HELD_BACK_MS };
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
