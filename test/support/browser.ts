import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, devices, type Browser, type Page } from 'playwright-core';

/** What WeChat's own browser on an iPhone calls itself. */
export const WECHAT_IOS_USER_AGENT =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 15_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ' +
  'Mobile/15E148 MicroMessenger/8.0.22(0x18001626) NetType/WIFI Language/zh_CN';

export interface PageOptions {
  /** The screen of a phone, and WeChat's user agent unless another one is given. */
  phone?: boolean;
  userAgent?: string;
}

export interface TestBrowser {
  readonly browser: Browser;
  /** A page with cookies of its own, like another person's browser; `page.context().newPage()` opens a further tab. */
  newPage(options?: PageOptions): Promise<Page>;
  close(): Promise<void>;
}

/** Starts the Chromium of this machine. It reaches this machine only. */
export async function openBrowser(): Promise<TestBrowser> {
  const browser = await chromium.launch({
    executablePath: findChromium(),
    // Its sandbox refuses to run as root.
    chromiumSandbox: process.getuid?.() !== 0,
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--disable-sync',
      // Whatever a page or Chromium itself looks for elsewhere: there is no such host.
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1',
    ],
  });
  return {
    browser,
    newPage: async ({ phone = false, userAgent = phone ? WECHAT_IOS_USER_AGENT : undefined } = {}) => {
      const context = await browser.newContext({
        locale: 'zh-CN',
        ...(phone && devices['iPhone 13']),
        ...(userAgent && { userAgent }),
      });
      return context.newPage();
    },
    close: () => browser.close(),
  };
}

function findChromium(): string {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = process.env.CHROMIUM_PATH
    ? [process.env.CHROMIUM_PATH]
    : [
        ...names.flatMap((name) => folders.map((folder) => join(folder, name))),
        '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
        '/Applications/Chromium.app/Contents/MacOS/Chromium',
      ];
  const found = candidates.find(isExecutable);
  if (found) return found;
  throw new Error(
    process.env.CHROMIUM_PATH
      ? `CHROMIUM_PATH is ${process.env.CHROMIUM_PATH}, which cannot be run.`
      : 'The browser tests need Chromium or Chrome, and neither is on the PATH: install it ' +
          '(Debian: apt-get install chromium fonts-wqy-microhei), or set CHROMIUM_PATH.',
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
