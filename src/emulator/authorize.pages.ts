import type { AuthorizePageError } from './authorize.checks.js';
import { drawAvatar } from './avatars.js';
import type { WechatEmulatorApp, WechatEmulatorUser } from './emulator.types.js';
import { html, type Html } from './html.js';
import type { EmulatorResponse } from './http.messages.js';
import { pageResponse } from './page.layout.js';

/** As many people as the page offers; a load test may have thousands. */
const USERS_SHOWN = 50;

const TICK = html`<svg class="tick" viewBox="0 0 22 22" aria-hidden="true">
  <circle cx="11" cy="11" r="11" fill="#07c160" />
  <path d="M6 11.4l3.4 3.4L16 8.2" fill="none" stroke="#fff" stroke-width="2" />
</svg>`;

const WARNING = html`<svg class="mark" viewBox="0 0 64 64" aria-hidden="true">
  <circle cx="32" cy="32" r="32" fill="#10aeff" />
  <path d="M32 16v20" stroke="#fff" stroke-width="5" stroke-linecap="round" />
  <circle cx="32" cy="46" r="3" fill="#fff" />
</svg>`;

/** The sheet on which a user allows or refuses. Its form is the one WeChat's own page sends. */
export function consentPage({
  app,
  user,
  users,
  uuid,
  rawQuery,
}: {
  app: Required<WechatEmulatorApp>;
  user: WechatEmulatorUser;
  users: readonly WechatEmulatorUser[];
  uuid: string;
  rawQuery: string;
}): EmulatorResponse {
  return pageResponse(
    '微信授权 · WeChat authorization',
    html`${userSwitch(users, user, rawQuery)}
      <main class="sheet">
        <p class="app">
          ${drawAvatar(app.appId, app.name)}
          <span>${app.name} 申请 <span class="en" lang="en">requests to</span></span>
        </p>
        <h1>
          获取并使用你的昵称、头像 <span class="en" lang="en">get and use your nickname and avatar</span>
        </h1>
        <div class="profile">
          ${drawAvatar(user.openid, user.nickname)}
          <div>
            ${user.nickname}<small>微信个人信息 <span lang="en">WeChat profile</span></small>
          </div>
          ${TICK}
        </div>
        <form class="choice" method="post" action="/connect/oauth2/authorize_reply">
          <input type="hidden" name="snsapi_userinfo" value="on" />
          <input type="hidden" name="uuid" value="${uuid}" />
          <button class="refuse" name="allow" value="0">拒绝 <span class="en" lang="en">Refuse</span></button>
          <button class="allow" name="allow" value="1">允许 <span class="en" lang="en">Allow</span></button>
        </form>
      </main>`,
    'sheet-open',
  );
}

/** The emulator's own page: who uses WeChat in this browser. */
export function homePage(users: readonly WechatEmulatorUser[], user: WechatEmulatorUser): EmulatorResponse {
  return pageResponse(
    '微信模拟器 · WeChat emulator',
    html`<header class="intro">
        <h1>微信模拟器 <span class="en" lang="en">WeChat emulator</span></h1>
        <p>
          这里选择谁在使用微信，然后回到应用重新登录。
          <span class="en" lang="en">Choose who is using WeChat, then sign in again in the application.</span>
        </p>
      </header>
      ${userSwitch(users, user, '')}`,
  );
}

/** What WeChat shows instead of going on. */
export function errorPage(error: AuthorizePageError): EmulatorResponse {
  const number = error.code === undefined ? '' : `错误码 ${String(error.code)}`;
  return pageResponse(
    error.text,
    html`<main class="message">
      ${WARNING}
      <h1>${error.text}</h1>
      <p><small>${number}</small></p>
      <aside class="emulator">
        <strong>模拟器 Emulator</strong><span class="en" lang="en">${error.hint}</span>
      </aside>
    </main>`,
  );
}

/** What is left after a refusal that sends the user nowhere. */
export function closingPage(): EmulatorResponse {
  return pageResponse(
    '已拒绝 · Refused',
    html`<main class="message">
      <h1>你已拒绝授权 <span class="en" lang="en">You have refused</span></h1>
      <p>可以关闭此页面了 <span class="en" lang="en">This page can be closed</span></p>
    </main>`,
  );
}

/** Not a part of WeChat, and it looks it: another person takes the phone. */
function userSwitch(
  users: readonly WechatEmulatorUser[],
  current: WechatEmulatorUser,
  rawQuery: string,
): Html {
  return html`<aside class="emulator">
    <details open>
      <summary>
        模拟器：切换用户 <span class="en" lang="en">Emulator, not a part of WeChat: switch user</span>
      </summary>
      <form method="post" action="/emulator/switch-user">
        <input type="hidden" name="authorize" value="${rawQuery}" />
        ${users.slice(0, USERS_SHOWN).map((user) => userButton(user, user === current))}
      </form>
    </details>
  </aside>`;
}

function userButton(user: WechatEmulatorUser, isCurrent: boolean): Html {
  const mark = html`<small>当前 <span lang="en">current</span></small>`;
  const button = html`${drawAvatar(user.openid, user.nickname)} <span>${user.nickname}</span>`;
  return isCurrent
    ? html`<button class="user" name="openid" value="${user.openid}" disabled>${button} ${mark}</button>`
    : html`<button class="user" name="openid" value="${user.openid}">${button}</button>`;
}
