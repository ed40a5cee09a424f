import { Html, html } from './html.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';

export function layout(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="zh-CN">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        ${new Html(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <main>
          <a class="brand" href="/"><i></i>nestjs-wechat-auth <small>演示 demo</small></a>
          ${body}
        </main>
        ${new Html(`<script>${SCRIPT}</script>`)}
      </body>
    </html>`.text;
}
