import OAuth2Strategy from 'passport-oauth2';
import type { WechatClient, WechatTokenResponse } from '../protocol/wechat.client.js';
import type { States } from './state.js';
import type { StrategyOptions, StrategyRequest } from './strategy.request.js';

type TokenCallback = (
  error: unknown,
  accessToken?: string,
  refreshToken?: string,
  response?: WechatTokenResponse,
) => void;

/**
 * WeChat's web-page authorization as a Passport strategy. passport-oauth2 leads the dance; overridden is where
 * WeChat leaves RFC 6749: the names and order of the authorization parameters, and the token request.
 *
 * A request with a `code` succeeds with the {@link WechatTokenResponse} as Passport's user; any other is
 * redirected to WeChat.
 *
 * @see https://developers.weixin.qq.com/doc/service/guide/h5/auth.html
 */
export class WechatStrategy extends OAuth2Strategy {
  override name = 'wechat';

  constructor(
    private readonly appId: string,
    private readonly client: WechatClient,
    states: States,
  ) {
    super(
      {
        // Both URLs and the client id are only the base class's demand; WechatClient knows the real ones.
        authorizationURL: 'wechat:authorize',
        tokenURL: 'wechat:token',
        clientID: appId,
        clientSecret: '',
        passReqToCallback: true,
        store: stateStore(states),
        skipUserProfile: true,
      },
      // Six parameters: the base class counts them before it passes the token response on.
      (
        _request: unknown,
        _accessToken: string,
        _refreshToken: string,
        tokens: WechatTokenResponse,
        _profile: unknown,
        verified: OAuth2Strategy.VerifyCallback,
      ) => {
        verified(null, tokens);
      },
    );
    // WeChat wants GET, `appid` and `secret`, and reports errors on HTTP 200.
    const getAccessToken = (code: string, _parameters: unknown, done: TokenCallback): void => {
      client.authorizationCodeGrant({ appId, code }).then((tokens) => {
        done(null, tokens.accessToken, tokens.refreshToken, tokens);
      }, done);
    };
    this._oauth2.getOAuthAccessToken = getAccessToken as typeof this._oauth2.getOAuthAccessToken;
  }

  override authenticate(
    request: Parameters<OAuth2Strategy['authenticate']>[0],
    options: StrategyOptions,
  ): void {
    // Passport sets `redirect` on the copy of the strategy that serves this one request.
    const redirect = this.redirect.bind(this);
    this.redirect = (stockUrl: string): void => {
      const state = new URL(stockUrl).searchParams.get('state') ?? '';
      const { callbackURL: redirectUri, scope, forcePopup = false } = options;
      redirect(
        this.client.buildAuthorizationUrl({ appId: this.appId, redirectUri, scope, state, forcePopup }),
      );
    };
    super.authenticate(request, options);
  }
}

/** Lets passport-oauth2 issue and check our states. It counts the parameters of both functions. */
function stateStore(states: States): OAuth2Strategy.StateStore {
  return {
    store(request: unknown, _meta: unknown, done: OAuth2Strategy.StateStoreStoreCallback): void {
      const { sealedTicket, browserId } = request as StrategyRequest;
      done(null, browserId === undefined ? '' : states.issue(sealedTicket, browserId));
    },
    verify(
      request: unknown,
      state: string,
      _meta: unknown,
      done: OAuth2Strategy.StateStoreVerifyCallback,
    ): void {
      const { sealedTicket, browserId } = request as StrategyRequest;
      done(null, states.verify(state, sealedTicket, browserId), undefined);
    },
  } as OAuth2Strategy.StateStore;
}
