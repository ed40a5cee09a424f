import { createHash } from 'node:crypto';
import { Html, html } from './html.js';
import type { EmulatorResponse } from './http.messages.js';

const STYLE = `
* { box-sizing: border-box; margin: 0; }
html { color-scheme: light; -webkit-text-size-adjust: 100%; }
body {
  min-height: 100vh; min-height: 100dvh; display: flex; flex-direction: column; gap: 16px;
  background: #ededed; color: #191919;
  font: 17px/1.45 system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'WenQuanYi Micro Hei', sans-serif;
}
body.sheet-open { background: #8a8a8a; }
small, .en { font-size: 13px; color: #6b6b6b; }
.en { display: block; font-weight: 400; }
h1 { font-size: 20px; line-height: 1.35; font-weight: 500; }
svg { display: block; border-radius: 6px; flex: none; }
button { font: inherit; cursor: pointer; }
a:focus-visible, button:focus-visible, summary:focus-visible { outline: 3px solid #576b95; outline-offset: 2px; }

.sheet {
  margin-top: auto; background: #fff; border-radius: 14px 14px 0 0;
  padding: 24px 24px max(32px, env(safe-area-inset-bottom));
}
.app { display: flex; align-items: center; gap: 10px; margin-bottom: 20px; }
.app svg { width: 26px; height: 26px; border-radius: 5px; }
.app .en { display: inline; }
.profile {
  display: flex; align-items: center; gap: 14px; margin: 20px 0 32px; padding: 16px 0;
  border-top: 1px solid #e5e5e5; border-bottom: 1px solid #e5e5e5;
}
.profile > div, .user > span { flex: 1; min-width: 0; overflow-wrap: anywhere; text-align: start; }
.profile small { display: block; }
.tick { width: 22px; height: 22px; }
.choice { display: flex; justify-content: center; gap: 16px; }
.choice button { flex: 1; border: 0; border-radius: 8px; padding: 9px 8px 8px; line-height: 1.25; }
.choice .en, .emulator .choice .en, .emulator .full-service .en { color: inherit; }
.refuse { background: #f2f2f2; color: #06ae56; }
.allow { background: #07c160; color: #fff; font-weight: 600; }
.refuse:hover { background: #e8e8e8; }
.allow:hover { background: #06ad56; }

.emulator {
  margin: 12px 12px 0; padding: 12px 14px; border: 2px dashed #6d4aff; border-radius: 10px;
  background: #f6f3ff; color: #2d1a7a; font-size: 15px;
}
.emulator .en, .emulator small { color: #5b4a9e; }
.emulator summary { cursor: pointer; font-weight: 600; }
.user {
  display: flex; align-items: center; gap: 10px; width: 100%; margin-top: 8px; padding: 6px 10px;
  border: 1px solid #cfc4ff; border-radius: 8px; background: #fff; color: inherit;
}
.user svg { width: 28px; height: 28px; }
.user:disabled { border-color: #6d4aff; cursor: default; }
button.user:not(:disabled):hover { background: #efeaff; }

.code { width: 200px; height: 200px; margin: 20px auto; background: #fff; }
.emulator .choice { margin-top: 12px; }
.emulator .refuse { border: 1px solid #cfc4ff; background: #fff; }
.full-service {
  display: block; margin-top: 12px; padding: 9px 8px 8px; border-radius: 8px; line-height: 1.25;
  background: #07c160; color: #fff; text-align: center; text-decoration: none;
}
.full-service:hover { background: #06ad56; }
.message a { color: #576b95; text-decoration: none; }

.intro { padding: 32px 26px 0; max-width: 420px; }
.intro p { margin-top: 12px; }

.message { margin: 15vh auto auto; padding: 0 28px; max-width: 460px; text-align: center; }
.message .mark { width: 64px; height: 64px; margin: 0 auto 24px; }
.message p { margin-top: 12px; }
.message .emulator { margin: 32px 0 0; text-align: start; overflow-wrap: anywhere; }

@media (min-width: 600px) {
  body { align-items: center; justify-content: center; padding: 32px 0; }
  .emulator, .sheet, .intro { width: 420px; margin: 0; }
  .intro { padding: 0 14px; }
  .sheet { border-radius: 14px; padding: 28px 32px 32px; }
  body.sheet-open { background: #dcdcdc; }
  .sheet { box-shadow: 0 8px 32px #0002; }
  .message { margin: 0 auto; }
  .message .emulator { width: auto; }
}
`;

// No `form-action`: Chromium applies it to the redirect that follows a form, which goes to the application.
function policy(script: string | undefined): string {
  return [
    "default-src 'none'",
    `style-src ${hashOf(STYLE)}`,
    ...(script === undefined ? [] : [`script-src ${hashOf(script)}`, "connect-src 'self'"]),
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function hashOf(source: string): string {
  return `'sha256-${createHash('sha256').update(source).digest('base64')}'`;
}

export interface PageOptions {
  bodyClass?: string;
  script?: string;
  /** Default `no-store`: the next answer may differ. */
  cacheControl?: string;
}

/** A page of WeChat's, in Chinese with a little English for those who cannot read it. Needs nothing from outside. */
export function pageResponse(
  title: string,
  body: Html,
  { bodyClass = '', script, cacheControl = 'no-store' }: PageOptions = {},
): EmulatorResponse {
  const document = html`<!doctype html>
    <html lang="zh-CN">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        ${new Html(`<style>${STYLE}</style>`)}
      </head>
      <body class="${bodyClass}">
        ${body} ${new Html(script === undefined ? '' : `<script>${script}</script>`)}
      </body>
    </html>`;
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy(script),
      'cache-control': cacheControl,
    },
    body: document.text,
  };
}
