import { answerAuthorize, answerAuthorizeReply } from './authorize.endpoints.js';
import { homePage } from './authorize.pages.js';
import { avatarResponse } from './avatars.js';
import { answerSwitchUser, currentUser } from './browser.user.js';
import type {
  WechatEmulator,
  WechatEmulatorEndpoint,
  WechatEmulatorOptions,
  WechatEmulatorRequest,
} from './emulator.types.js';
import { answerWithFault, FaultQueue } from './faults.js';
import { textResponse, type EmulatorRequest, type EmulatorResponse } from './http.messages.js';
import { LoopbackServer, type Delivery } from './http.server.js';
import { WechatPlatform } from './platform.js';
import { resolveSettings } from './settings.js';
import { answerSnsRequest } from './sns.endpoints.js';
import { controlUser, knownUser } from './user.control.js';

const REQUESTS_KEPT = 100_000;

type Handler = (platform: WechatPlatform, request: EmulatorRequest) => EmulatorResponse;

/** The paths of open.weixin.qq.com and api.weixin.qq.com, and two of the emulator's own. */
const ROUTES: Readonly<
  Record<string, { methods: string; endpoint?: WechatEmulatorEndpoint; handler: Handler }>
> = {
  '/connect/oauth2/authorize': { methods: 'GET HEAD', endpoint: 'authorize', handler: answerAuthorize },
  '/connect/oauth2/authorize_reply': { methods: 'GET POST', handler: answerAuthorizeReply },
  '/sns/oauth2/access_token': sns('token'),
  '/sns/oauth2/refresh_token': sns('refresh'),
  '/sns/userinfo': sns('userinfo'),
  '/sns/auth': sns('auth'),
  '/emulator/switch-user': { methods: 'POST', handler: answerSwitchUser },
  '/': {
    methods: 'GET HEAD',
    handler: (platform, request) => homePage(platform.users, currentUser(platform, request)),
  },
};

/** POST is answered as GET is, with the parameters in the query. */
function sns(endpoint: Exclude<WechatEmulatorEndpoint, 'authorize'>) {
  const handler: Handler = (platform, { query }) => answerSnsRequest(platform, endpoint, query);
  return { methods: 'GET POST', endpoint, handler };
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
  const requests: WechatEmulatorRequest[] = [];

  const answer = (request: EmulatorRequest): Delivery => {
    const route = ROUTES[request.path];
    record(requests, request, route?.endpoint, platform.now());
    const delivery = answerRequest(platform, faults, request);
    platform.save();
    return delivery;
  };
  const server = new LoopbackServer(answer);
  const tlsServer = settings.tls && new LoopbackServer(answer, settings.tls);
  // Before it listens, so that a file that cannot be written leaves no server behind.
  platform.save();
  const url = await server.listen(settings.port);
  const tlsUrl = await tlsServer?.listen(settings.tls?.port ?? 0).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  platform.setOrigin(url);

  /** Does something to the platform and keeps the outcome. */
  const act = (change: () => void): Promise<void> =>
    Promise.resolve().then(() => {
      change();
      platform.save();
    });

  return {
    url,
    tlsUrl,
    openBaseUrl: url,
    apiBaseUrl: url,
    apps: platform.apps,
    users: platform.users,
    requests,
    now: () => platform.now(),
    advanceTime: (ms) =>
      act(() => {
        platform.advanceTime(ms);
      }),
    failNext: (endpoint, fault, faultOptions) =>
      act(() => {
        faults.add(endpoint, fault, faultOptions);
      }),
    user: (openid) => controlUser(platform, openid, act),
    signInAs: (openid) =>
      act(() => {
        platform.signIn(knownUser(platform, openid).openid);
      }),
    reset: () =>
      act(() => {
        platform.reset();
        faults.clear();
        requests.length = 0;
      }),
    close: async () => {
      await Promise.all([server.close(), tlsServer?.close()]);
    },
  };
}

function answerRequest(platform: WechatPlatform, faults: FaultQueue, request: EmulatorRequest): Delivery {
  const route = ROUTES[request.path];
  if (!route) {
    const avatar = avatarResponse(platform, request.path);
    return { response: avatar ?? textResponse(404, 'Not found. See / for what is here.'), manner: 'now' };
  }
  if (!route.methods.split(' ').includes(request.method)) {
    const refusal = textResponse(405, `${request.path} takes ${route.methods}.`);
    return { response: refusal, manner: 'now' };
  }
  const { endpoint, handler } = route;
  const answer = (): EmulatorResponse => handler(platform, request);
  return endpoint
    ? answerWithFault(platform, endpoint, request, faults.take(endpoint), answer)
    : { response: answer(), manner: 'now' };
}

function record(
  requests: WechatEmulatorRequest[],
  request: EmulatorRequest,
  endpoint: WechatEmulatorEndpoint | undefined,
  at: Date,
): void {
  const query: Record<string, string> = {};
  for (const [name, value] of request.query) {
    query[name] ??= value;
  }
  requests.push({ method: request.method, path: request.path, query, endpoint, at });
  // In lots, since dropping one by one from a long list is slow.
  if (requests.length > REQUESTS_KEPT * 1.1) {
    requests.splice(0, requests.length - REQUESTS_KEPT);
  }
}
