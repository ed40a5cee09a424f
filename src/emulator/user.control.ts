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
        checkApp(platform, appId);
        checkScope(scope);
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

function checkScope(scope: string): void {
  if (scope !== 'snsapi_base' && scope !== 'snsapi_userinfo') {
    throw new WechatEmulatorError(
      'emulator_argument',
      `The emulator has no scope ${JSON.stringify(scope)}; there are snsapi_base and snsapi_userinfo.`,
    );
  }
}
