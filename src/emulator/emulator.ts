import { answerSecondCallback, heldBack, SECOND_CALLBACK_PATH } from './authorize.callback.js';
import { answerAuthorize, answerAuthorizeReply, answerQrConnect } from './authorize.endpoints.js';
import { homePage } from './authorize.pages.js';
import { avatarResponse } from './avatars.js';
import { answerSwitchUser, currentUser } from './browser.user.js';
import { controlApi, isControlPath } from './control.api.js';
import type { WechatEmulatorOptions } from './emulator.options.js';
import type { WechatEmulator, WechatEmulatorEndpoint } from './emulator.types.js';
import { answerWithFault, FaultQueue } from './faults.js';
import { textResponse, type EmulatorRequest, type EmulatorResponse } from './http.messages.js';
import { LoopbackServer, type Delivery, type Takeover } from './http.server.js';
import { WechatPlatform } from './platform.js';
import { RequestRecord } from './request.record.js';
import { resolveSettings } from './settings.js';
import { answerSnsCall, SNS_CALLS, type SnsCall } from './sns.endpoints.js';
import { controlUser } from './user.control.js';

interface Route {
  methods: readonly string[];
  endpoint?: WechatEmulatorEndpoint;
  handler: (platform: WechatPlatform, request: EmulatorRequest) => EmulatorResponse;
}

/** The paths of open.weixin.qq.com and api.weixin.qq.com, and two of the emulator's own. */
const ROUTES: Readonly<Record<string, Route>> = {
  '/connect/oauth2/authorize': { methods: ['GET', 'HEAD'], endpoint: 'authorize', handler: answerAuthorize },
  '/connect/oauth2/authorize_reply': { methods: ['GET', 'POST'], handler: answerAuthorizeReply },
  '/connect/qrconnect': { methods: ['GET', 'HEAD'], endpoint: 'authorize', handler: answerQrConnect },
  ...Object.fromEntries(Object.entries(SNS_CALLS).map(([path, call]) => [path, snsRoute(call)])),
  '/emulator/switch-user': { methods: ['POST'], handler: answerSwitchUser },
  '/': {
    methods: ['GET', 'HEAD'],
    handler: (platform, request) => {
      const person = currentUser(platform, request);
      return homePage(platform.people.all, person, platform.snapshots.get(person.openid));
    },
  },
};

/** POST is answered as GET is, with the parameters in the query. */
function snsRoute(call: SnsCall): Route {
  const { endpoint } = call;
  const handler: Route['handler'] = (platform, request) => answerSnsCall(platform, call, request);
  return {
    methods: ['GET', 'POST'],
    endpoint,
    handler:
      endpoint === 'token'
        ? (platform, request) => heldBack(platform, request, handler(platform, request))
        : handler,
  };
}

/**
 * Starts WeChat on this machine: the authorization page of open.weixin.qq.com and the `/sns` calls of
 * api.weixin.qq.com, on one port of 127.0.0.1.
 *
 * It behaves as WeChat does by its documents and by what has been captured in public, and where these leave a choice
 * it takes the one that is harder on the application. Its clock, its people and its faults are in your hands:
 *
 * ```ts
 * const wechat = await createWechatEmulator();
 * await wechat.advanceTime(7200_000); // every access token has expired
 * await wechat.failNext('refresh', { status: 502 });
 * await wechat.close();
 * ```
 *
 * Throws {@link WechatEmulatorError} if an option is wrong, the port is taken or the state file is broken.
 */
export async function createWechatEmulator(options: WechatEmulatorOptions = {}): Promise<WechatEmulator> {
  const settings = resolveSettings(options);
  const platform = new WechatPlatform(settings);
  const faults = new FaultQueue();
  const requests = new RequestRecord();
  let emulator: WechatEmulator | undefined = undefined;

  const answer = (request: EmulatorRequest): Delivery | Takeover => {
    const route = ROUTES[request.path];
    // What is not a part of WeChat is not among the requests that WeChat got.
    if (!route && request.path === SECOND_CALLBACK_PATH) return answerSecondCallback(platform, request);
    if (!route && isControlPath(request.path)) return controlApi(emulator, request);
    requests.add(request, route?.endpoint, platform.nowMs());
    const delivery = answerRequest(platform, faults, request);
    platform.save();
    return delivery;
  };
  const server = new LoopbackServer(answer);
  const tlsServer = settings.tls && new LoopbackServer(answer, settings.tls);
  const start = async (): Promise<Pick<WechatEmulator, 'url' | 'tlsUrl'>> => {
    // Before it listens, so that a file that cannot be written leaves no server behind.
    platform.save();
    const url = await server.listen(settings.port);
    const tlsUrl = await tlsServer?.listen(settings.tls?.port ?? 0).catch(async (error: unknown) => {
      await server.close();
      throw error;
    });
    return { url, tlsUrl };
  };
  const { url, tlsUrl } = await start().catch((error: unknown) => {
    platform.close();
    throw error;
  });
  platform.origin = url;

  /** Does something to the platform and keeps the outcome. */
  const act = <Outcome>(change: () => Outcome): Promise<Outcome> =>
    Promise.resolve().then(() => {
      const outcome = change();
      platform.save();
      return outcome;
    });

  emulator = {
    url,
    tlsUrl,
    openBaseUrl: url,
    apiBaseUrl: url,
    apps: platform.apps,
    users: platform.people.all,
    get requests() {
      return requests.list;
    },
    now: () => platform.now(),
    advanceTime: (ms) =>
      act(() => {
        platform.advanceTime(ms);
      }),
    failNext: (endpoint, fault, faultOptions = {}) =>
      act(() => {
        faults.add(endpoint, fault, faultOptions, platform.nowMs());
      }),
    clearFaults: () =>
      act(() => {
        faults.clear();
      }),
    user: (openid) => controlUser(platform, openid, act),
    signInAs: (openid) =>
      act(() => {
        platform.signIn(platform.people.get(openid));
      }),
    reset: () =>
      act(() => {
        platform.reset();
        faults.clear();
        requests.clear();
      }),
    close: async () => {
      await Promise.all([server.close(), tlsServer?.close()]);
      platform.close();
    },
  };
  return emulator;
}

function answerRequest(platform: WechatPlatform, faults: FaultQueue, request: EmulatorRequest): Delivery {
  const route = ROUTES[request.path];
  if (!route) {
    const avatar = avatarResponse(platform, request.path);
    return { response: avatar ?? textResponse(404, 'Not found. See / for what is here.'), manner: 'now' };
  }
  if (!route.methods.includes(request.method)) {
    const refusal = textResponse(405, `${request.path} takes ${route.methods.join(' ')}.`);
    return { response: refusal, manner: 'now' };
  }
  const { endpoint, handler } = route;
  const answer = (): EmulatorResponse => handler(platform, request);
  if (!endpoint) return { response: answer(), manner: 'now' };
  const fraction = (): number => platform.draw((random) => random.fraction());
  const fault = faults.take(endpoint, platform.nowMs(), fraction);
  return answerWithFault(platform, endpoint, request, fault, answer);
}
