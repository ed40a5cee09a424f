import { describe, expect, it } from '@jest/globals';
import { ConsentScreens } from '../../simulation/invariants/consent-screens.js';
import { DeadTokens } from '../../simulation/invariants/dead-tokens.js';
import { DoubleRefreshes } from '../../simulation/invariants/double-refreshes.js';
import { DueMarks } from '../../simulation/invariants/due-marks.js';
import { NeedlessRefreshes } from '../../simulation/invariants/needless-refreshes.js';
import { NothingLost } from '../../simulation/invariants/nothing-lost.js';
import { Secrets } from '../../simulation/invariants/secrets.js';
import { WrongMarks } from '../../simulation/invariants/wrong-marks.js';
import {
  act,
  answer,
  event,
  noRows,
  refreshed,
  rowOf,
  served,
  signedIn,
  TestHistory,
  visited,
} from './histories.js';

const MINUTE = 1 / 24 / 60;
const HOUR = 60 * MINUTE;

/** A name, a history, and what is found in it; nothing where all is right. */
type Case = [string, (history: TestHistory) => TestHistory, RegExp | undefined];

function find(history: TestHistory, found: RegExp | undefined): void {
  expect(history.findings).toEqual(found === undefined ? [] : [expect.stringMatching(found)]);
}

describe('no dead token served', () => {
  it.each<Case>([
    [
      'the token of the pair that we were told last',
      (h) => h.at(0, [signedIn('a')]).at(HOUR, [served('a-1')]),
      undefined,
    ],
    [
      'a token that nobody has given out',
      (h) => h.at(0, [signedIn('a')]).at(HOUR, [served('x')]),
      /never given out/,
    ],
    [
      'one that a later sign-in has ended',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(HOUR, [signedIn('b')])
          .at(1.1 * HOUR, [served('a-1')]),
      /later sign-in has replaced/,
    ],
    [
      'one that a later sign-in has ended, of which an instance that was killed was told',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(HOUR, [signedIn('b')], { killed: [0] })
          .at(1.1 * HOUR, [served('a-1')]),
      undefined,
    ],
    [
      'one of a pair that WeChat has rejected',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(HOUR, [answer('refresh', 'rejected')])
          .at(1.1 * HOUR, [served('a-1')]),
      /has rejected/,
    ],
    [
      'one of a pair that WeChat is just rejecting',
      (h) => h.at(0, [signedIn('a')]).at(HOUR, [answer('refresh', 'rejected'), served('a-1')]),
      undefined,
    ],
    [
      'one that a refresh has replaced',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1.9 * HOUR, [refreshed('a-2')])
          .at(2 * HOUR, [served('a-1')]),
      /refresh has replaced/,
    ],
    [
      'one that ends in less than a minute',
      (h) => h.at(0, [signedIn('a')]).at(2 * HOUR, [served('a-1')]),
      /in less than a minute/,
    ],
    [
      'one that lives on by a refresh, of which an instance that was killed was told',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1.8 * HOUR, [refreshed('a-1')], { killed: [0] })
          .at(2 * HOUR, [served('a-1')]),
      undefined,
    ],
    [
      'one that has ended, although an instance that was killed was told of another',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(2 * HOUR, [refreshed('a-2')], { killed: [0] })
          .at(2.1 * HOUR, [served('a-1')]),
      /in less than a minute/,
    ],
    [
      'one of a consent that WeChat has said is over',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(HOUR, [answer('userinfo', 'refused')])
          .at(1.1 * HOUR, [served('a-1')]),
      /the consent has ended/,
    ],
    [
      'one after the thirty days of the consent',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(29, [signedIn('b', 'base')])
          .at(30, [refreshed('b-2', { pair: 'b' })])
          .at(30.05, [served('b-2')]),
      /is over/,
    ],
  ])('%s', (_, write, found) => find(write(new TestHistory(new DeadTokens())), found));
});

describe('no consent screen without cause', () => {
  it.each<Case>([
    [
      'who has never agreed is asked',
      (h) => h.at(0, [visited({ screens: ['explain', 'consent'] })]),
      undefined,
    ],
    [
      'who has agreed is explained what for',
      (h) => h.at(0, [signedIn('a')]).at(1, [visited({ screens: ['explain'] })]),
      /no explanation/,
    ],
    [
      'who has agreed is asked by WeChat',
      (h) => h.at(0, [signedIn('a')]).at(1, [visited({ screens: ['consent'] })]),
      /no consent page of WeChat/,
    ],
    [
      'who has agreed, and taken it back at WeChat, is asked there',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [act('consent-withdrawn')])
          .at(2, [visited({ screens: ['consent'] })]),
      undefined,
    ],
    [
      'who has agreed thirty days ago is asked again',
      (h) => h.at(0, [signedIn('a')]).at(30, [visited({ screens: ['explain', 'consent'] })]),
      undefined,
    ],
    [
      'who is to be asked again, by the host’s will, is',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [act('consent-required')])
          .at(2, [visited({ screens: ['explain', 'consent'] })]),
      undefined,
    ],
    [
      'whose password was changed is asked for nothing but a new pair',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [act('password-changed')])
          .at(2, [visited({ screens: ['consent'] })]),
      /no consent page/,
    ],
    [
      'a base page asks',
      (h) => h.at(0, [visited({ scope: 'base', screens: ['consent'] })]),
      /asks for nothing/,
    ],
    [
      'a base page finds out who is there, and WeChat asks, as the consent was taken back there',
      (h) =>
        h
          .at(0, [signedIn('a'), visited()])
          .at(0.5, [act('consent-withdrawn')])
          .at(1, [visited({ scope: 'base', screens: ['consent'] })]),
      undefined,
    ],
    [
      'a base page finds out who is there, and WeChat asks, before a day is over',
      (h) =>
        h
          .at(0, [signedIn('a'), visited()])
          .at(0.4, [act('consent-withdrawn')])
          .at(0.9, [visited({ scope: 'base', screens: ['consent'] })]),
      /asks for nothing/,
    ],
    [
      'somebody is asked twice',
      (h) => h.at(0, [visited({ screens: ['explain', 'consent', 'consent'] })]),
      /asked once/,
    ],
    [
      'somebody is asked twice, as the answer to the first time was lost',
      (h) =>
        h.at(0, [
          signedIn('a', 'userinfo', { isDelivered: false }),
          signedIn('b'),
          visited({ screens: ['explain', 'consent', 'consent'] }),
        ]),
      undefined,
    ],
    [
      'nobody has signed out',
      (h) => h.at(0, [visited({ screens: ['sign-in-again'] })]),
      /signed in silently/,
    ],
    [
      'somebody has signed out',
      (h) => h.at(0, [act('signed-out', { phone: 0 })]).at(1, [visited({ screens: ['sign-in-again'] })]),
      undefined,
    ],
    [
      'somebody has signed out, and in again',
      (h) =>
        h
          .at(0, [act('signed-out', { phone: 0 })])
          .at(1, [visited({ screens: ['sign-in-again'] })])
          .at(2, [visited({ screens: ['sign-in-again'] })]),
      /signed in silently/,
    ],
  ])('%s', (_, write, found) => find(write(new TestHistory(new ConsentScreens())), found));
});

describe('no due grant unmarked', () => {
  const due = event('wechat.consent-due');
  const expired = event('wechat.consent-required', 'expired');
  it.each<Case>([
    ['before the last three days', (h) => h.at(0, [signedIn('a')]).at(26.9, [rowOf()]), undefined],
    [
      'marked and told in time',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(27, [due])
          .at(27.1, [rowOf({ notice: 'due' })]),
      undefined,
    ],
    [
      'not marked',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(27, [due])
          .at(27.1, [rowOf()]),
      /"due".*no mark/,
    ],
    [
      'marked, and nobody told',
      (h) => h.at(0, [signedIn('a')]).at(27.1, [rowOf({ notice: 'due' })]),
      /consent-due.*no event/,
    ],
    [
      'marked by an instance that was killed before it told',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(27, [], { killed: [1] })
          .at(27.1, [rowOf({ notice: 'due' })]),
      undefined,
    ],
    [
      'told twice',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(27, [due])
          .at(27.1, [due]),
      /once more/,
    ],
    [
      'marked as due still after the end',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(27, [due])
          .at(30, [expired])
          .at(30.1, [rowOf({ notice: 'due' })]),
      /"required"/,
    ],
    [
      'the end told to nobody',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(27, [due])
          .at(30.1, [rowOf({ notice: 'required' })]),
      /consent-required.*no event/,
    ],
    [
      'not marked after WeChat’s refusal',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [answer('userinfo', 'refused'), event('wechat.consent-required', 'refused')])
          .at(1.1, [rowOf()]),
      /"required"/,
    ],
    [
      'told of WeChat’s refusal, and weeks later of the end',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [answer('userinfo', 'refused'), event('wechat.consent-required', 'refused')])
          .at(27, [expired]),
      /once more, expired/,
    ],
    [
      'told of a rejected pair, and later of the end of the consent',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [event('wechat.consent-required', 'rejected')])
          .at(30, [expired]),
      undefined,
    ],
  ])('%s', (_, write, found) => find(write(new TestHistory(new DueMarks())), found));
});

describe('no grant marked wrongly', () => {
  const rejected = answer('refresh', 'rejected');
  it.each<Case>([
    [
      'suspect without a rejection',
      (h) => h.at(0, [signedIn('a')]).at(1, [rowOf({ status: 'suspect' })]),
      /suspect/,
    ],
    [
      'suspect, as WeChat did not say which of two pairs is alive',
      (h) =>
        h
          .at(1, [signedIn('a'), answer('auth', 'failed')])
          .at(1.1, [rowOf({ status: 'suspect' }, { consentEndsOnDay: 31 })]),
      undefined,
    ],
    [
      'suspect over an outage',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [answer('refresh', 'failed')])
          .at(1.1, [rowOf({ status: 'suspect' })]),
      /suspect/,
    ],
    [
      'suspect after a rejection',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [rejected])
          .at(1.1, [rowOf({ status: 'suspect' })]),
      undefined,
    ],
    [
      'suspect after a rejection of the pair before',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [rejected, signedIn('b')])
          .at(1.1, [rowOf({ pair: 'b', status: 'suspect' }, { consentEndsOnDay: 31 })]),
      /suspect/,
    ],
    [
      'dead after one rejection',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [rejected])
          .at(1.1, [rowOf({ status: 'dead' })]),
      /only.*dead/,
    ],
    [
      'dead after two, five minutes apart',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [rejected])
          .at(1 + 5 * MINUTE, [rejected])
          .at(1.1, [rowOf({ status: 'dead' })]),
      undefined,
    ],
    [
      'unable without a refusal',
      (h) => h.at(0, [signedIn('a')]).at(1, [rowOf({ ability: 'unable' })]),
      /unable/,
    ],
    [
      'unable as nobody has agreed',
      (h) => h.at(0, [signedIn('a', 'base')]).at(1, [rowOf({ ability: 'unable', consentExpiresAtMs: null })]),
      undefined,
    ],
    ['due too early', (h) => h.at(0, [signedIn('a')]).at(26.9, [rowOf({ notice: 'due' })]), /no mark before/],
    [
      'required too early',
      (h) => h.at(0, [signedIn('a')]).at(29, [rowOf({ notice: 'required' })]),
      /no mark "required"/,
    ],
    [
      'required by the host’s will',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [act('consent-required')])
          .at(2, [rowOf({ notice: 'required' })]),
      undefined,
    ],
    [
      'a consent cut short',
      (h) => h.at(0, [signedIn('a')]).at(1, [rowOf({}, { consentEndsOnDay: 20 })]),
      /a consent until/,
    ],
    [
      'told due too early',
      (h) => h.at(0, [signedIn('a')]).at(1, [event('wechat.consent-due')]),
      /nothing before/,
    ],
    [
      'told expired too early',
      (h) => h.at(0, [signedIn('a')]).at(1, [event('wechat.consent-required', 'expired')]),
      /nothing before/,
    ],
    [
      'told refused without a refusal',
      (h) => h.at(0, [signedIn('a')]).at(1, [event('wechat.consent-required', 'refused')]),
      /a refusal of WeChat/,
    ],
    [
      'told rejected after one rejection',
      (h) => h.at(0, [signedIn('a')]).at(1, [rejected, event('wechat.consent-required', 'rejected')]),
      /two rejections/,
    ],
    [
      'told requested without a request',
      (h) => h.at(0, [signedIn('a')]).at(1, [event('wechat.consent-required', 'requested')]),
      /the host has asked/,
    ],
    [
      'told for another reason',
      (h) => h.at(0, [signedIn('a')]).at(1, [event('wechat.consent-required', 'whim')]),
      /a reason that there is/,
    ],
  ])('%s', (_, write, found) => find(write(new TestHistory(new WrongMarks())), found));
});

describe('no refresh twice for one due time', () => {
  it.each<Case>([
    ['one after the other', (h) => h.at(0, [refreshed('a-2')]).at(1.7 * HOUR, [refreshed('a-3')]), undefined],
    [
      'two at once',
      (h) => h.at(0, [refreshed('a-2'), refreshed('a-2', { instance: 1 })]),
      /one refresh.*instance 1/,
    ],
    [
      'one more in the next minutes',
      (h) => h.at(0, [refreshed('a-2')]).at(5 * MINUTE, [refreshed('a-2')]),
      /one refresh/,
    ],
    [
      'one more, as the answer was lost on the way',
      (h) => h.at(0, [refreshed('a-2', { isDelivered: false })]).at(5 * MINUTE, [refreshed('a-2')]),
      undefined,
    ],
    [
      'one more, as the instance was killed over it',
      (h) => h.at(0, [refreshed('a-2')], { killed: [0] }).at(5 * MINUTE, [refreshed('a-2')]),
      undefined,
    ],
    [
      'one more, as another instance was killed',
      (h) => h.at(0, [refreshed('a-2')], { killed: [1] }).at(5 * MINUTE, [refreshed('a-2')]),
      /one refresh/,
    ],
    [
      'one more, as WeChat did not take the token',
      (h) =>
        h
          .at(0, [refreshed('a-2')])
          .at(5 * MINUTE, [answer('userinfo', 'rejected')])
          .at(10 * MINUTE, [refreshed('a-3')]),
      undefined,
    ],
    [
      'of two users',
      (h) => h.at(0, [refreshed('a-2'), refreshed('b-2', { openid: 'oOther', pair: 'b' })]),
      undefined,
    ],
  ])('%s', (_, write, found) => find(write(new TestHistory(new DoubleRefreshes())), found));
});

describe('no refresh for nothing', () => {
  it.each<Case>([
    ['of who has agreed', (h) => h.at(0, [signedIn('a')]).at(1, [refreshed('a-2')]), undefined],
    [
      'of who has signed in silently',
      (h) => h.at(0, [signedIn('a', 'base')]).at(1, [refreshed('a-2')]),
      /silent sign-in alone/,
    ],
    [
      'of who has signed in silently after agreeing',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [signedIn('b', 'base')])
          .at(2, [refreshed('b-2', { pair: 'b' })]),
      undefined,
    ],
    [
      'after WeChat’s refusal',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [answer('userinfo', 'refused')])
          .at(2, [refreshed('a-2')]),
      /refused the profile/,
    ],
    [
      'after the host has ended the consent',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [act('consent-required')])
          .at(2, [refreshed('a-2')]),
      /whose consent has ended/,
    ],
  ])('%s', (_, write, found) => find(write(new TestHistory(new NeedlessRefreshes())), found));
});

describe('nothing lost', () => {
  it.each<Case>([
    [
      'the row of who has signed in',
      (h) => h.at(0, [signedIn('a'), visited()]).at(1, [noRows()]),
      /a row.*none/,
    ],
    [
      'the row of who was forgotten',
      (h) =>
        h
          .at(0, [signedIn('a'), visited()])
          .at(1, [act('forgotten')])
          .at(2, [noRows()]),
      undefined,
    ],
    [
      'the pair of the last sign-in',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [signedIn('b')])
          .at(2, [rowOf()]),
      /the pair that WeChat has given out.*that of/,
    ],
    [
      'the pair of the last sign-in, where two came at once on two phones',
      (h) => h.at(0, [signedIn('a'), signedIn('b'), visited(), visited({ phone: 1 })]).at(1, [rowOf()]),
      undefined,
    ],
    [
      'the pair of the last sign-in, where one browser came twice',
      (h) => h.at(0, [signedIn('a', 'base'), signedIn('b'), visited()]).at(1, [rowOf()]),
      /the pair that WeChat has given out/,
    ],
    [
      'the pair of the last sign-in, of which nobody was told',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [signedIn('b', 'base', { isDelivered: false })])
          .at(2, [rowOf()]),
      undefined,
    ],
    [
      'an access token that could be alive',
      (h) => h.at(0, [signedIn('a')]).at(1, [rowOf({}, { endsOnDay: 0.5 })]),
      /kept alive/,
    ],
    [
      'an access token, over an outage',
      (h) => h.at(0, [signedIn('a')]).at(1, [rowOf({}, { endsOnDay: 0.5 })], { isTroubled: true }),
      undefined,
    ],
    [
      'an access token, over a new password',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(0.2, [act('password-changed')])
          .at(1, [rowOf({}, { endsOnDay: 0.5 })]),
      undefined,
    ],
    [
      'a token that a job wants',
      (h) =>
        h
          .at(0, [signedIn('a')])
          .at(1, [{ kind: 'not-served', openid: 'oUser', instance: 2, error: 'an error' }]),
      /a token without the user.*instance 2/,
    ],
    [
      'a token that a job wants of who has not agreed',
      (h) =>
        h
          .at(0, [signedIn('a', 'base')])
          .at(1, [{ kind: 'not-served', openid: 'oUser', instance: 2, error: 'an error' }]),
      undefined,
    ],
    [
      'a session, by another sign-in',
      (h) => h.at(0, [visited()]).at(0.9, [visited({ scope: 'base' })]),
      /by the session.*by way of WeChat/,
    ],
    [
      'a session of days before, by a silent look at who it is',
      (h) => h.at(0, [visited()]).at(2, [visited({ scope: 'base' })]),
      undefined,
    ],
    [
      'a session of days before, while WeChat is down',
      (h) =>
        h.at(0, [visited()]).at(2, [visited({ scope: 'base', end: 'unavailable' })], { isTroubled: true }),
      /there is the session/,
    ],
    [
      'a session, after a retired key',
      (h) =>
        h
          .at(0, [visited()])
          .at(1, [{ kind: 'key-retired', promotedAtMs: Date.UTC(2026, 0, 1, 12) }])
          .at(2, [visited({ scope: 'base' })]),
      undefined,
    ],
    [
      'a session, though the key was retired before it',
      (h) =>
        h
          .at(1.5, [visited()])
          .at(2, [{ kind: 'key-retired', promotedAtMs: Date.UTC(2026, 0, 1, 12) }])
          .at(2.1, [visited({ scope: 'base' })]),
      /by the session/,
    ],
    [
      'a session, by signing out',
      (h) =>
        h
          .at(0, [visited()])
          .at(1, [act('signed-out', { phone: 0 })])
          .at(2, [visited({ scope: 'base' })]),
      undefined,
    ],
    ['a visitor’s name', (h) => h.at(0, [visited({ seenAs: 'oOther' })]), /known as oOther/],
    [
      'a way to the page',
      (h) => h.at(0, [visited({ end: 'stuck', last: '500 /' })]),
      /get to the page.*stuck/,
    ],
    [
      'a way to the page, by the user’s will',
      (h) => h.at(0, [visited({ end: 'denied', refuses: true })]),
      undefined,
    ],
    [
      'a way to the page, by nobody’s will',
      (h) => h.at(0, [visited({ end: 'denied' })]),
      /get to the page.*denied/,
    ],
  ])('%s', (_, write, found) => find(write(new TestHistory(new NothingLost())), found));
});

describe('no secret in any output', () => {
  const token = `98_${'Ab3-_'.repeat(20)}`;
  const secrets = new Secrets();
  secrets.add('an access token', token);
  secrets.add('a sealing key', 'q9+/q9+/q9+/q9+/q9+/q9+/q9+/q9+/q9+/q9+/q9s=');

  it.each([
    ['a line with it', `GET /sns/userinfo?access_token=${token}&openid=o`],
    ['a line with most of it', `token ${token.slice(0, 40)}...`],
    ['one that stands in a longer word', `xyz${token}xyz`],
    ['a key', 'k1:q9+/q9+/q9+/q9+/q9+/q9+/q9+/q9+/q9+/q9+/q9s='],
    ['a key in an address', `?key=${encodeURIComponent('q9+/q9+/q9+/q9+/q9+/q9+/q9+/q9+/q9+/q9+/q9s=')}`],
  ])('%s is found, and not repeated', (_, text) => {
    const [finding] = secrets.check('a log', text);
    expect(finding).toEqual({
      expected: 'no secret in a log',
      seen: expect.stringMatching(/^(an access token|a sealing key)$/),
    });
  });

  it('what is none is not found', () => {
    expect(secrets.check('a log', `a user ${'oABC'.repeat(10)}, ${token.slice(0, 10)}`)).toEqual([]);
  });
});
