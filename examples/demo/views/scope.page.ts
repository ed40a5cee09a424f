import type { WechatScope } from 'nestjs-wechat-auth';
import { bilingual, type Html, html } from './html.js';
import { layout } from './layout.js';
import { timePanel, knowledgePanel, personHeader, type Visitor } from './person.panels.js';

/** A page that asks for a scope; whoever sees it has met it. */
export function scopePage(scope: WechatScope, visitor: Visitor): string {
  return layout(
    scope === 'base' ? '静默登录' : '资料登录',
    html`<header class="known">${personHeader(visitor)}</header>
      <p class="lead"><code>@WechatAuth('${scope}')</code> ${lead(scope, visitor)}</p>
      <div class="columns even">${knowledgePanel(visitor)} ${timePanel(visitor)}</div>
      <nav class="onward">
        ${
          scope === 'base'
            ? html`<a class="button" href="/userinfo"
                >${bilingual('还要昵称和头像', 'Get the profile too')}</a
              >`
            : ''
        }
        <a class="button quiet" href="/">${bilingual('回到首页', 'Start page')}</a>
      </nav>`,
  );
}

function lead(scope: WechatScope, { user }: Visitor): Html {
  if (user.snapshot) {
    return bilingual(
      '这是快照页：微信给的是虚拟用户，什么都不会保存。',
      'A snapshot page: WeChat gave a virtual user, and nothing is stored.',
    );
  }
  return scope === 'base'
    ? bilingual('只要 openid，所以这一页没有问你任何事。', 'The openid is enough, so nothing was asked.')
    : bilingual(
        '要昵称和头像。同意一次，30 天内不再询问。',
        'Nickname and avatar. One consent holds for 30 days.',
      );
}
