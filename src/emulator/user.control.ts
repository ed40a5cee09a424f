import { WechatEmulatorError } from './emulator.errors.js';
import type { WechatEmulatorUserControl } from './emulator.types.js';
import { authorizeAtOnce } from './grants.js';
import type { Person } from './people.js';
import type { WechatPlatform } from './platform.js';
import { tokenAnswer } from './sns.endpoints.js';

/** @returns what a person can do. `act` carries a change out and keeps it. */
export function controlUser(
  platform: WechatPlatform,
  openid: string,
  act: <Outcome>(change: () => Outcome) => Promise<Outcome>,
): WechatEmulatorUserControl {
  const person = platform.people.get(openid);
  const change = (state: Parameters<Person['change']>[0]): Promise<void> =>
    act(() => {
      person.change(state);
    });
  /** The person's entries at all apps; those of virtual users are nobody's. */
  const entries = () =>
    platform.apps.flatMap(({ appId }) => platform.ledger.find(platform.people.openidAt(appId, person)) ?? []);

  return {
    follow: () => change({ follows: true }),
    unfollow: () => change({ follows: false }),
    openFromChat: (on = true) => change({ opensFromChat: on }),
    deregister: () => change({ deregistered: true }),
    snapshot: (on = true) => change({ snapshot: on }),
    changePassword: () =>
      act(() => {
        for (const entry of entries()) {
          const pair = entry.pair && { ...entry.pair, passwordChanged: true };
          platform.ledger.put({ ...entry, pair });
        }
      }),
    withdrawConsent: () =>
      act(() => {
        for (const entry of entries()) {
          const pair = entry.pair && { ...entry.pair, consentWithdrawn: true };
          platform.ledger.put({ ...entry, consentedAtMs: undefined, pair });
        }
      }),
    authorize: (scope, appId = platform.apps[0]?.appId ?? '') =>
      act(() => {
        checkAuthorization(platform, appId, scope);
        if (person.state.deregistered) {
          throw refusal(`a user with the openid ${openid}, but the user has closed the account`);
        }
        return tokenAnswer(platform, authorizeAtOnce(platform, appId, person, scope));
      }),
    openidAt: (appId) => {
      checkApp(platform, appId);
      return platform.people.openidAt(appId, person);
    },
  };
}

function checkApp(platform: WechatPlatform, appId: string): void {
  if (!platform.findApp(appId)) {
    throw new WechatEmulatorError('emulator_argument', `The emulator has no app ${appId}.`);
  }
}

/** What the authorization page would refuse is not to be had without it either. */
function checkAuthorization(platform: WechatPlatform, appId: string, scope: string): void {
  checkApp(platform, appId);
  const app = platform.findApp(appId);
  if (scope !== 'snsapi_base' && scope !== 'snsapi_userinfo') {
    throw refusal(`no scope ${JSON.stringify(scope)}; there are snsapi_base and snsapi_userinfo`);
  }
  if (app?.kind !== 'service' && app?.kind !== 'sandbox') {
    throw refusal(`the app ${appId}, but only a service account or a sandbox can use web-page authorization`);
  }
  if (app.banned || !app.scopes.includes(scope)) {
    throw refusal(`the app ${appId}, but it may not ask for ${scope}`);
  }
}

function refusal(problem: string): WechatEmulatorError {
  return new WechatEmulatorError('emulator_argument', `The emulator has ${problem}.`);
}
