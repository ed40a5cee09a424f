import { createHash } from 'node:crypto';
import type { AuthorizePageError } from './authorize.checks.js';
import { drawAvatar } from './avatars.js';
import type { WechatEmulatorUser } from './emulator.options.js';
import { html, type Html } from './html.js';
import type { EmulatorResponse } from './http.messages.js';
import { pageResponse } from './page.layout.js';
import type { EmulatorApp } from './settings.js';

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
  app: EmulatorApp;
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
    { bodyClass: 'sheet-open' },
  );
}

/** The emulator's own page: who uses WeChat in this browser. */
export function homePage(
  users: readonly WechatEmulatorUser[],
  user: WechatEmulatorUser,
  /** The authorization request of this user's snapshot page, if there is one. */
  snapshot: string | undefined,
): EmulatorResponse {
  return pageResponse(
    '微信模拟器 · WeChat emulator',
    html`<header class="intro">
        <h1>微信模拟器 <span class="en" lang="en">WeChat emulator</span></h1>
        <p>
          这里选择谁在使用微信，然后回到应用重新登录。
          <span class="en" lang="en">Choose who is using WeChat, then sign in again in the application.</span>
        </p>
      </header>
      ${snapshot === undefined ? [] : [fullService(snapshot)]} ${userSwitch(users, user, '')}`,
  );
}

/** A website's QR code, and what the person who scans it is asked on the phone. */
export function qrCodePage({
  app,
  user,
  uuid,
}: {
  app: EmulatorApp;
  user: WechatEmulatorUser;
  uuid: string;
}): EmulatorResponse {
  return pageResponse(
    '微信登录 · WeChat sign-in',
    html`<main class="message">
      <h1>微信登录 <span class="en" lang="en">WeChat sign-in</span></h1>
      ${drawCode(uuid)}
      <p>${app.name}</p>
      <aside class="emulator">
        <strong
          >模拟器：${user.nickname} 用手机扫码后
          <span class="en" lang="en">Emulator: when ${user.nickname} has scanned it</span></strong
        >
        <form class="choice" method="post" action="/connect/oauth2/authorize_reply">
          <input type="hidden" name="uuid" value="${uuid}" />
          <button class="refuse" name="allow" value="0">拒绝 <span class="en" lang="en">Refuse</span></button>
          <button class="allow" name="allow" value="1">允许 <span class="en" lang="en">Allow</span></button>
        </form>
      </aside>
    </main>`,
  );
}

const CODE_SIDE = 21;

/** Squares that look like a QR code; no phone has to read them. */
function drawCode(uuid: string): Html {
  const bits = createHash('sha512').update(uuid).digest();
  const squares: Html[] = [];
  for (let place = 0; place < CODE_SIDE ** 2; place++) {
    const [x, y] = [place % CODE_SIDE, Math.floor(place / CODE_SIDE)];
    const isDark = inCorner(x, y) ?? ((bits[place >> 3] ?? 0) >> (place & 7)) % 2 === 1;
    if (isDark) squares.push(html`<rect x="${String(x)}" y="${String(y)}" width="1" height="1" />`);
  }
  return html`<svg class="code" viewBox="-2 -2 25 25" shape-rendering="crispEdges" aria-hidden="true">
    ${squares}
  </svg>`;
}

/** In three corners of a QR code there is a square in a frame. @returns whether it is dark there. */
function inCorner(x: number, y: number): boolean | undefined {
  const distances = [
    [3, 3],
    [CODE_SIDE - 4, 3],
    [3, CODE_SIDE - 4],
  ].map(([column = 0, row = 0]) => Math.max(Math.abs(x - column), Math.abs(y - row)));
  const distance = Math.min(...distances);
  return distance > 4 ? undefined : distance < 2 || distance === 3;
}

/**
 * Goes to the callback twice: the second navigation begins while the first one waits for the exchange of its code. It goes
 * by way of the emulator, since Chromium leaves out a navigation to where it is already going.
 */
const REPEAT = `const { next } = document.querySelector('[data-next]').dataset;
fetch(next, { redirect: 'manual' }).then(() => location.replace(next));
location.href = document.links[0].href;`;

/** Goes to the callback, and again whenever the page is shown again. Later than 'load', so that it stays in the history. */
const RESTORE = `addEventListener('pageshow', () => setTimeout(() => (location.href = document.links[0].href), 50));`;

/** @param next answers as soon as the code of the first callback is exchanged, and leads to the second one. */
export function repeatingPage(first: string, second: string, next: string): EmulatorResponse {
  const body = html`${goingOn([first, second])}<i hidden data-next="${next}"></i>`;
  return pageResponse('微信 · WeChat', body, { script: REPEAT });
}

/** To be kept by the browser, so that going back does not ask for a new code. */
export function restoredPage(address: string): EmulatorResponse {
  const cacheControl = 'private, max-age=86400';
  return pageResponse('微信 · WeChat', goingOn([address]), { script: RESTORE, cacheControl });
}

function goingOn(addresses: readonly string[]): Html {
  return html`<main class="message">
    <h1>正在前往应用 <span class="en" lang="en">Going on to the application</span></h1>
    ${addresses.map(
      (address) =>
        html`<p>
          <a href="${address}">前往应用 <span class="en" lang="en">Go on</span></a>
        </p>`,
    )}
  </main>`;
}

/** What WeChat shows instead of going on. */
export function errorPage(error: AuthorizePageError): EmulatorResponse {
  const number = error.code === undefined ? [] : html`<p><small>错误码 ${String(error.code)}</small></p>`;
  return pageResponse(
    error.text,
    html`<main class="message">
      ${WARNING}
      <h1>${error.text}</h1>
      ${number}
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

/** What stands below a snapshot page in WeChat's own frame, which an application's page does not have here. */
function fullService(rawQuery: string): Html {
  const others = rawQuery.split('&').filter((pair) => !pair.startsWith('forcePopup='));
  const query = [...others, 'forcePopup=true'].join('&');
  return html`<aside class="emulator">
    应用以快照页打开，用户是虚拟的。
    <span class="en" lang="en">The application is open as a snapshot page, with a virtual user.</span>
    <a class="full-service" href="/connect/oauth2/authorize?${query}"
      >使用完整服务 <span class="en" lang="en">Use the full service</span></a
    >
  </aside>`;
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
