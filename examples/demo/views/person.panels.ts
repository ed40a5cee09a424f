import type { WechatUser } from 'nestjs-wechat-auth';
import type { Grant } from '../grant.service.js';
import { bilingual, Html, html } from './html.js';
import { formatInstant, formatTimeLeft, LIFETIMES_MS } from './time.js';

/** Somebody the module knows. */
export interface Visitor {
  user: WechatUser;
  /** Null for the virtual user of a snapshot page, of whom nothing is stored. */
  grant: Grant | null;
  now: Date;
}

const SILHOUETTE = new Html(
  '<svg class="avatar" viewBox="0 0 44 44" aria-hidden="true"><circle cx="22" cy="17" r="7"/>' +
    '<path d="M8 40c0-9 6-14 14-14s14 5 14 14z"/></svg>',
);

const ABILITIES = {
  able: bilingual('令牌可读取', 'readable'),
  unable: bilingual('令牌不可读取', 'not readable: 48001'),
  unknown: bilingual('待确认', 'not known yet'),
} as const;

const STATUSES = {
  alive: bilingual('有效', 'alive'),
  suspect: bilingual('存疑', 'suspect'),
  dead: bilingual('失效', 'dead'),
} as const;

/** Avatar, name and how they are known. */
export function personHeader({ user }: Visitor): Html {
  const { userInfo, scope, snapshot } = user;
  const how = snapshot
    ? bilingual('快照页的虚拟用户', 'virtual user of a snapshot page')
    : scope === 'userinfo'
      ? bilingual('已登录，同意过提供资料', 'signed in, with consent')
      : bilingual('已静默登录，还没有昵称和头像', 'signed in silently, no profile yet');
  return html`<div class="person">
    ${
      userInfo?.headimgurl
        ? html`<img
            class="avatar"
            src="${userInfo.headimgurl}"
            alt=""
            width="64"
            height="64"
            referrerpolicy="no-referrer"
          />`
        : SILHOUETTE
    }
    <div>
      <h1>${userInfo?.nickname ?? '微信用户'}</h1>
      <p class="how">${how}</p>
    </div>
  </div>`;
}

/** Who the user is to the module, and what the tokens are good for. */
export function knowledgePanel({ user, grant }: Visitor): Html {
  return html`<section class="panel">
    <h2>${bilingual('模块知道什么', 'What the module knows')}</h2>
    <dl class="facts">
      <dt>${bilingual('权限', 'scope')}</dt>
      <dd><span class="tag ${user.scope}">${user.scope}</span></dd>
      <dt>openid</dt>
      <dd><code>${user.openid}</code></dd>
      <dt>unionid</dt>
      <dd>
        ${
          user.unionid === undefined
            ? html`<span class="soft">${bilingual('无', 'none')}</span>`
            : html`<code>${user.unionid}</code>`
        }
      </dd>
      ${grant ? pairFacts(grant) : ''}
    </dl>
  </section>`;
}

function pairFacts({ pairScope, pairStatus, pairAbility }: Grant): Html {
  return html`<dt>${bilingual('令牌', 'tokens')}</dt>
    <dd><code>snsapi_${pairScope}</code></dd>
    <dt>${bilingual('状态', 'state')}</dt>
    <dd>${STATUSES[pairStatus]}</dd>
    <dt>${bilingual('资料', 'profile')}</dt>
    <dd>${ABILITIES[pairAbility]}</dd>`;
}

/** Consent and tokens: until when, and how long still. Of a snapshot page's virtual user there is neither. */
export function timePanel({ grant, now }: Visitor): Html {
  if (!grant) return html``;
  const { consentExpiresAt, accessTokenExpiresAt, refreshTokenExpiresAt } = grant;
  return html`<section class="panel">
    <h2>${bilingual('还剩多久', 'Time left')}</h2>
    ${lifetime(bilingual('用户同意', 'consent'), consentExpiresAt, LIFETIMES_MS.consent, now)}
    ${lifetime(html`access token`, accessTokenExpiresAt, LIFETIMES_MS.accessToken, now)}
    ${lifetime(html`refresh token`, refreshTokenExpiresAt, LIFETIMES_MS.refreshToken, now)}
  </section>`;
}

function lifetime(name: Html, endsAt: Date | null, fullMs: number, now: Date): Html {
  if (!endsAt) {
    return html`<div class="lifetime">
      <span>${name}</span><span class="soft">${bilingual('尚未给出', 'not given')}</span>
    </div>`;
  }
  const leftMs = Math.max(0, endsAt.getTime() - now.getTime());
  const percent = Math.min(100, Math.round((leftMs / fullMs) * 100));
  return html`<div class="lifetime">
    <span>${name}</span>
    ${
      leftMs > 0
        ? html`<span class="left" data-left-ms="${leftMs}">${formatTimeLeft(leftMs)}</span>`
        : html`<span class="soft">${bilingual('已到期', 'ended')}</span>`
    }
    <span class="bar" aria-hidden="true"><i style="width:${percent}%"></i></span>
    <small
      >${leftMs > 0 ? '至' : '止于'}
      <time datetime="${endsAt.toISOString()}">${formatInstant(endsAt)}</time></small
    >
  </div>`;
}
