import type { AnswerFact, AnswerOutcome, Scope } from '../model/facts.js';
import type { WechatCall } from './wire.tap.js';

/** Codes that speak of a token that WeChat does not take. */
const REJECTIONS = new Set([40001, 40030, 42001, 42002, 42007]);
/** Codes that speak of a profile that the token may not read. */
const REFUSALS = new Set([48001, 50001]);

/** Understands WeChat's answers, without any code of the module's. */
export class Witness {
  /** By access token and by refresh token: of which pair it is, named by the refresh token, and of whom. */
  private readonly owners = new Map<string, { openid: string; pair: string }>();

  private readonly codes = new Map<string, string>();

  /** @param onSecret is shown every token that is given out, once. */
  constructor(private readonly onSecret: (what: string, secret: string) => void) {}

  /** @param openid whom WeChat has given the code to. */
  learnCode(code: string, openid: string): void {
    this.codes.set(code, openid);
  }

  /** @returns undefined for an answer that is about nobody: a code that was not exchanged. */
  factOf(call: WechatCall): AnswerFact | undefined {
    const { instance, endpoint, query, answer, isDelivered } = call;
    const outcome = outcomeOf(answer);
    const presented = query.get('refresh_token') ?? query.get('access_token') ?? '';
    const issued = outcome === 'ok' && (endpoint === 'token' || endpoint === 'refresh');
    if (issued)
      this.learn(
        String(answer?.['openid']),
        String(answer?.['refresh_token']),
        String(answer?.['access_token']),
      );
    const accessToken = issued ? String(answer?.['access_token']) : presented;
    const owner = this.owners.get(accessToken);
    if (!owner) return endpoint === 'token' ? this.exchangeOf(call, outcome) : undefined;
    const errcode = answer?.['errcode'];
    return {
      kind: 'answer',
      openid: owner.openid,
      instance,
      endpoint,
      outcome,
      ...(typeof errcode === 'number' && errcode !== 0 && { errcode }),
      pair: owner.pair,
      accessToken,
      ...(endpoint === 'token' && { scope: scopeOf(answer) }),
      isDelivered,
    };
  }

  /** An exchange whose answer names nobody: it failed, or WeChat has made a pair and the answer broke off. */
  private exchangeOf(
    { instance, query, isDelivered }: WechatCall,
    outcome: AnswerOutcome,
  ): AnswerFact | undefined {
    const code = query.get('code') ?? '';
    const openid = this.codes.get(code);
    if (openid === undefined) return undefined;
    const unknown = `of ${code}`;
    return {
      kind: 'answer',
      openid,
      instance,
      endpoint: 'token',
      outcome: isDelivered ? outcome : 'ok',
      pair: unknown,
      accessToken: unknown,
      isDelivered,
    };
  }

  private learn(openid: string, pair: string, accessToken: string): void {
    const owner = { openid, pair };
    for (const [what, token] of [
      ['a refresh token', pair],
      ['an access token', accessToken],
    ] as const) {
      if (this.owners.has(token)) continue;
      this.owners.set(token, owner);
      this.onSecret(what, token);
    }
  }
}

function outcomeOf(answer: WechatCall['answer']): AnswerOutcome {
  if (!answer) return 'failed';
  const errcode = Number(answer['errcode'] ?? 0);
  if (errcode === 0) return 'ok';
  if (REJECTIONS.has(errcode)) return 'rejected';
  return REFUSALS.has(errcode) ? 'refused' : 'failed';
}

function scopeOf(answer: WechatCall['answer']): Scope {
  return String(answer?.['scope']).includes('snsapi_userinfo') ? 'userinfo' : 'base';
}
