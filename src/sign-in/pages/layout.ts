import { createHash } from 'node:crypto';
import type { Answer } from '../http-exchange.js';

/** A text in Chinese, with English at hand. */
export interface Bilingual {
  zh: string;
  en: string;
}

export interface PageContent {
  status: number;
  /** Sets the colour and the sign at the top. */
  tone: 'ask' | 'wait' | 'done' | 'problem';
  title: Bilingual;
  text: Bilingual;
  /** The one thing to do here. */
  button?: Bilingual & { url: string };
  /** A quiet way out. */
  link?: Bilingual & { url: string };
  /** An address to read or copy. */
  address?: string;
  /** What the page does by itself, where scripts run; the button does the same. */
  script?: 'follow-button' | 'reload';
}

const STYLE = `
:root{color-scheme:light dark;--ground:#ededed;--sheet:#fff;--ink:#191919;--soft:#7a7a7a;--green:#06ae56}
@media(prefers-color-scheme:dark){:root{--ground:#111;--sheet:#1e1e1e;--ink:#ececec;--soft:#9a9a9a}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;background:var(--ground);color:var(--ink);
font:17px/1.6 -apple-system,BlinkMacSystemFont,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC","WenQuanYi Micro Hei",system-ui,sans-serif}
main{display:flex;flex-direction:column;align-items:center;width:100%;max-width:420px;margin:0 auto;
padding:72px 32px 48px;background:var(--sheet);text-align:center}
@media(min-width:600px){main{margin:auto;padding:56px 40px;border-radius:16px}}
.sign{display:flex;align-items:center;justify-content:center;width:72px;height:72px;border-radius:50%;
font-size:36px;line-height:1;color:#fff;background:var(--green)}
.wait .sign{background:#10aeff}.problem .sign{background:#fa9d3b}
h1{margin:24px 0 0;font-size:22px;font-weight:600;line-height:1.4}
p{margin:16px 0 0}h1,p{text-wrap:balance}
[lang=en]{display:block;color:var(--soft);font-size:14px;font-weight:400;line-height:1.5;margin-top:4px}
.address{width:100%;padding:12px 16px;border-radius:8px;background:var(--ground);font-size:14px;
overflow-wrap:anywhere;user-select:all;text-align:left}
.button{display:block;width:100%;margin-top:40px;padding:10px 16px;border-radius:8px;background:var(--green);
color:#fff;font-weight:600;text-decoration:none}
.button:active{opacity:.8}.button:focus-visible{outline:3px solid var(--ink);outline-offset:3px}
.link{margin-top:24px;color:var(--soft);font-size:15px;text-decoration:none}.link [lang=en]{display:inline;margin-left:8px}
.button [lang=en]{color:#fff;margin:0;font-size:13px}
`;

const SCRIPTS = {
  'follow-button': `location.replace(document.querySelector('.button').href)`,
  reload: `setTimeout(function(){location.reload()},1500)`,
} as const;

const SIGNS = { ask: 'i', wait: '…', done: '✓', problem: '!' } as const;

/** The pages carry a policy of their own: it allows what they contain and nothing else, whatever the host allows. */
const CONTENT_SECURITY_POLICY = [
  `default-src 'none'`,
  `style-src ${hashSource(STYLE)}`,
  `script-src ${Object.values(SCRIPTS).map(hashSource).join(' ')}`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

export function renderPage(content: PageContent): Answer {
  const { status, tone, title, text, button, link, address, script } = content;
  const html = `<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title.zh)}</title>
<style>${STYLE}</style>
</head>
<body>
<main class="${tone}">
<div class="sign" aria-hidden="true">${SIGNS[tone]}</div>
<h1>${bilingual(title)}</h1>
<p>${bilingual(text)}</p>
${address === undefined ? '' : `<p class="address">${escapeHtml(address)}</p>`}
${button ? `<a class="button" href="${escapeHtml(button.url)}">${bilingual(button)}</a>` : ''}
${link ? `<a class="link" href="${escapeHtml(link.url)}">${bilingual(link)}</a>` : ''}
</main>
${script ? `<script>${SCRIPTS[script]}</script>` : ''}
</body>
</html>
`;
  return { kind: 'page', status, html, contentSecurityPolicy: CONTENT_SECURITY_POLICY };
}

function bilingual({ zh, en }: Bilingual): string {
  return `${escapeHtml(zh)}<span lang="en">${escapeHtml(en)}</span>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${String(character.charCodeAt(0))};`);
}

/** @see https://www.w3.org/TR/CSP3/#grammardef-hash-source */
function hashSource(inline: string): string {
  return `'sha256-${createHash('sha256').update(inline).digest('base64')}'`;
}
