import { bilingual, type Html, html } from './html.js';
import { layout } from './layout.js';
import { timePanel, knowledgePanel, personHeader, type Visitor } from './person.panels.js';

/** The start page, for somebody the module knows or for anybody. */
export function homePage(visitor: Visitor | undefined): string {
  return layout(
    '微信网页授权演示',
    html`${visitor ? knownTop(visitor) : welcome()}
      <div class="columns">${ways()}</div>
      ${stage()}
      <div class="columns">${xhrPanel()} ${explanation()}</div>`,
  );
}

function welcome(): Html {
  return html`<header class="hero">
    <h1><span>微信网页授权，</span><span>装上就能用</span></h1>
    <p lang="en" class="en">WeChat sign-in for NestJS, and the life of the tokens after it.</p>
  </header>`;
}

function knownTop(visitor: Visitor): Html {
  return html`<header class="known">
      ${personHeader(visitor)}
      <form method="post" action="/wechat/sign-out?return_to=/">
        <button class="button quiet">${bilingual('退出登录', 'Sign out')}</button>
      </form>
    </header>
    <div class="columns even">${knowledgePanel(visitor)} ${timePanel(visitor)}</div>`;
}

function ways(): Html {
  return html`<a class="way" href="/userinfo">
      <h2>${bilingual('资料登录', 'Sign-in with profile')}</h2>
      <p>${bilingual('经你同意，取得昵称和头像。', 'Nickname and avatar, with your consent.')}</p>
      <code>@WechatAuth('userinfo')</code>
      <span class="button">${bilingual('打开页面', 'Open the page')}</span>
    </a>
    <a class="way" href="/base">
      <h2>${bilingual('静默登录', 'Silent sign-in')}</h2>
      <p>${bilingual('不打扰你，只取得 openid。', 'The openid alone; nothing is asked.')}</p>
      <code>@WechatAuth('base')</code>
      <span class="button quiet">${bilingual('打开页面', 'Open the page')}</span>
    </a>`;
}

/** Where WeChat is played, if it is not the real one. */
function stage(): Html {
  const address = process.env.WECHAT_OPEN_BASE_URL;
  if (address === undefined || new URL(address).hostname === 'open.weixin.qq.com') return html``;
  return html`<aside class="stage">
    <p>
      ${bilingual(
        '这里没有真正的微信：授权页和接口都由本机的模拟器扮演。你是其中当前的那位用户，可以随时换人，再重新登录。',
        'There is no real WeChat here: an emulator on this machine plays it, and you are whoever is current there. Switch, then sign in again.',
      )}
    </p>
    <a href="${address}">${bilingual('我是谁？切换用户', 'Who am I? Switch user')}</a>
  </aside>`;
}

function xhrPanel(): Html {
  return html`<section class="panel" id="xhr">
    <h2>${bilingual('脚本请求', 'A request by script')}</h2>
    <p>
      ${bilingual(
        '脚本无法跟随跳转去登录，所以没登录时得到的是 401，里面的 signInUrl 说明该去哪里。',
        'A script cannot follow a redirect to sign in, so it gets a 401 whose signInUrl says where to go.',
      )}
    </p>
    <button class="button quiet" type="button" id="xhr-send"><code>GET /api/me</code></button>
    <noscript><p>${bilingual('这一步需要 JavaScript。', 'This one needs JavaScript.')}</p></noscript>
    <div id="xhr-result" role="status" hidden>
      <p id="xhr-status"></p>
      <pre id="xhr-body" tabindex="0"></pre>
      <a class="button" id="xhr-follow" hidden>${bilingual('前往 signInUrl', 'Follow signInUrl')}</a>
    </div>
  </section>`;
}

function explanation(): Html {
  return html`<section class="panel">
    <h2>${bilingual('为什么会有 48001？', 'Why is there a 48001?')}</h2>
    <p>静默登录换来的令牌无权读取资料，还会顶替掉原先有权的那一对，这时去读，微信就答 48001。</p>
    <p>模块在每次请求时核对这条路由需要什么，不够就补上授权，所以 48001 到不了你的代码。</p>
    <p class="en" lang="en">
      Tokens from a silent sign-in may not read the profile, and they replace the ones that could, so WeChat
      answers 48001. On every request the module checks what the route needs and asks for what is missing, so
      48001 never reaches your code.
    </p>
  </section>`;
}
