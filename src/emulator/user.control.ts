import { WechatEmulatorError } from './emulator.errors.js';
import type { WechatEmulatorUser, WechatEmulatorUserControl } from './emulator.types.js';
import type { WechatPlatform } from './platform.js';

/** @returns what a person can do. `act` carries a change out and keeps it. */
export function controlUser(
  platform: WechatPlatform,
  openid: string,
  act: (change: () => void) => Promise<void>,
): WechatEmulatorUserControl {
  const userId = knownUser(platform, openid).openid;
  return {
    follow: () =>
      act(() => {
        platform.userState(userId).follows = true;
      }),
    unfollow: () =>
      act(() => {
        platform.userState(userId).follows = false;
      }),
    changePassword: () =>
      act(() => {
        for (const pair of platform.ledger.pairsOfUser(userId)) {
          pair.passwordChanged = true;
        }
      }),
    withdrawConsent: () =>
      act(() => {
        for (const { appId } of platform.apps) {
          platform.ledger.removeConsent(appId, userId);
        }
        for (const pair of platform.ledger.pairsOfUser(userId)) {
          pair.consentWithdrawn = true;
        }
      }),
    deregister: () =>
      act(() => {
        platform.userState(userId).deregistered = true;
      }),
    snapshot: (on = true) =>
      act(() => {
        platform.userState(userId).snapshot = on;
      }),
    openidAt: (appId) => {
      if (!platform.findApp(appId)) {
        throw new WechatEmulatorError('emulator_argument', `The emulator has no app ${appId}.`);
      }
      return platform.openidAt(appId, userId);
    },
  };
}

/** @returns the user with this openid at any app, or throws. */
export function knownUser(platform: WechatPlatform, openid: string): WechatEmulatorUser {
  const user = platform.findUser(openid);
  if (!user) {
    const known = platform.users.map((each) => each.openid).join(', ');
    throw new WechatEmulatorError(
      'emulator_argument',
      `The emulator has no user with the openid ${JSON.stringify(openid)}. It has ${known}.`,
    );
  }
  return user;
}
