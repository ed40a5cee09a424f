import type { Agent } from 'undici';

/** The pages that ask something of a person. */
export type Screen =
  /** Ours, which says what for. */
  | 'explain'
  /** WeChat's own. */
  | 'consent'
  /** Ours, for who has signed out. */
  | 'sign-in-again';

/** How a visit ended: at its page, or how else. */
export type VisitEnd =
  | 'served'
  /** The user has refused, and the page does without nothing. */
  | 'denied'
  /** The user has closed a page that asks. */
  | 'left'
  /** A page of the module's that says: not now. */
  | 'unavailable'
  /** The connection was lost. */
  | 'cut-off'
  /** Anything else. */
  | 'stuck';

export interface VisitReport {
  readonly end: VisitEnd;
  readonly screens: readonly Screen[];
  /** Whom the page took the visitor for. */
  readonly openid: string | undefined;
  /** Whether the visitor was sent to WeChat on the way. */
  readonly sawWechat: boolean;
  /** What was seen last, if the visit did not end at its page. */
  readonly last: string;
}

/** What a person does when asked. */
export interface Manners {
  readonly refuses: boolean;
  readonly leaves: boolean;
  /** The callback comes twice at once, as clients of WeChat's do it. */
  readonly doublesCallback: boolean;
}

/** The network between phones and servers. */
export interface Network {
  readonly publicUrl: string;
  readonly wechatUrl: string;
  /** @returns where the proxy sends the next request; undefined if nobody is there. */
  route(): string | undefined;
  /** Is shown whatever the application sends to a browser, and whatever address it is sent to by it. */
  onOutput(text: string): void;
  /** Is shown the codes that WeChat gives out, and for whom. */
  onCode(code: string, openid: string): void;
}

interface Page {
  url: URL;
  status: number;
  location: string | undefined;
  body: string;
}

const HEADERS = {
  'user-agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) MicroMessenger/8.0.50',
  accept: 'text/html,application/xhtml+xml',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
};
const MAX_HOPS = 25;
const TITLES: Readonly<Record<string, Screen | 'continue' | 'wait' | 'denied' | 'unavailable'>> = {
  'Your avatar and nickname are needed': 'explain',
  'You are signed out': 'sign-in-again',
  'On the way to WeChat': 'continue',
  'Signing you in': 'wait',
  'You did not give consent': 'denied',
  'Sign-in is not possible right now': 'unavailable',
};

/** WeChat's browser on one phone of one person, as far as HTTP goes. */
export class Phone {
  private readonly cookies = new Map<string, Map<string, string>>();

  /** @param openid who uses WeChat on this phone. */
  constructor(
    readonly openid: string,
    private readonly network: Network,
    private readonly agent: Agent,
  ) {
    // The emulator's own choice of who sits in front of it.
    this.jar(new URL(network.wechatUrl)).set('wechat_emulator_user', `${encodeURIComponent(openid)}.0`);
  }

  /** Whether the browser brings a session to the application. */
  get hasSession(): boolean {
    return [...this.jar(new URL(this.network.publicUrl)).keys()].some((name) => name.includes('session'));
  }

  /** Another phone, or the same one with nothing left on it. */
  forgetCookies(): void {
    this.jar(new URL(this.network.publicUrl)).clear();
  }

  /** Opens a page of the application and does what it takes to get there. */
  async visit(path: string, manners: Manners): Promise<VisitReport> {
    const screens: Screen[] = [];
    let sawWechat = false;
    let last = path;
    const report = (end: VisitEnd, openid?: string): VisitReport => ({
      end,
      screens,
      openid,
      sawWechat,
      last,
    });
    try {
      let page = await this.get(new URL(path, this.network.publicUrl));
      for (let hop = 0; hop < MAX_HOPS; hop++) {
        last = `${String(page.status)} ${page.url.pathname}`;
        const isWechats = page.url.origin === this.network.wechatUrl;
        sawWechat ||= isWechats;
        if (page.location !== undefined) {
          const next = new URL(page.location, page.url);
          page = isWechats ? await this.callBack(next, manners) : await this.get(next);
        } else if (isWechats) {
          if (page.status !== 200 || !page.body.includes('name="uuid"')) return report('unavailable');
          screens.push('consent');
          if (manners.leaves) return report('left');
          page = await this.answerConsent(page, !manners.refuses);
        } else {
          const title = titleOf(page);
          if (title === undefined && page.status === 200) return report('served', openidIn(page));
          last += ` ${title ?? ''}`;
          const kind = TITLES[title ?? ''];
          if (kind === 'explain' || kind === 'sign-in-again') {
            screens.push(kind);
            if (manners.leaves) return report('left');
          } else if (kind === 'denied' || kind === 'unavailable') return report(kind);
          else if (kind !== 'continue') return report(kind === 'wait' ? 'unavailable' : 'stuck');
          page = await this.get(buttonOf(page));
        }
      }
      return report('stuck');
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
      return report('cut-off');
    }
  }

  /** Signs out at the application. @returns whether it has got through. */
  async signOut(): Promise<boolean> {
    try {
      const { publicUrl } = this.network;
      const page = await this.send(new URL('/wechat/sign-out', publicUrl), 'POST', undefined, {
        origin: publicUrl,
      });
      return page.status < 400;
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
      return false;
    }
  }

  /** Goes where WeChat sends the browser, now and then twice at once. */
  private async callBack(url: URL, { doublesCallback }: Manners): Promise<Page> {
    const code = url.searchParams.get('code');
    if (code !== null && code !== 'authdeny') this.network.onCode(code, this.openid);
    if (!doublesCallback) return this.get(url);
    const [first] = await Promise.all([this.get(url), this.get(url)]);
    return first;
  }

  private answerConsent(page: Page, allows: boolean): Promise<Page> {
    const [, uuid = ''] = /name="uuid" value="([^"]*)"/.exec(page.body) ?? [];
    return this.send(
      new URL('/connect/oauth2/authorize_reply', page.url),
      'POST',
      new URLSearchParams({ uuid, allow: allows ? '1' : '0' }).toString(),
      { 'content-type': 'application/x-www-form-urlencoded' },
    );
  }

  private get(url: URL): Promise<Page> {
    return this.send(url, 'GET', undefined, {});
  }

  private async send(
    url: URL,
    method: 'GET' | 'POST',
    body: string | undefined,
    headers: Record<string, string>,
  ): Promise<Page> {
    const isOurs = url.origin === this.network.publicUrl;
    const origin = isOurs ? this.network.route() : url.origin;
    if (origin === undefined) throw Object.assign(new Error('nobody is there'), { code: 'ECONNREFUSED' });
    const jar = this.jar(url);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await this.agent.request({
      origin,
      path: url.pathname + url.search,
      method,
      headers: { ...HEADERS, host: url.host, ...headers, ...(cookie && { cookie }) },
      body: body ?? null,
    });
    const lines = [response.headers['set-cookie'] ?? []].flat();
    for (const line of lines) keepCookie(jar, line);
    const [location] = [response.headers.location ?? []].flat();
    const text = await response.body.text();
    if (isOurs) this.network.onOutput(`${lines.join('\n')}\n${location ?? ''}\n${text}`);
    return { url, status: response.statusCode, location, body: text };
  }

  private jar({ host }: URL): Map<string, string> {
    let jar = this.cookies.get(host);
    if (!jar) this.cookies.set(host, (jar = new Map<string, string>()));
    return jar;
  }
}

function keepCookie(jar: Map<string, string>, line: string): void {
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
  if (/;\s*max-age=0/i.test(line)) jar.delete(name);
  else jar.set(name, value);
}

/** @returns undefined for what is no page of the module's. */
function titleOf({ body }: Page): string | undefined {
  return /<h1>[^<]*<span lang="en">([^<]*)</.exec(body)?.[1];
}

function openidIn({ body }: Page): string | undefined {
  return (JSON.parse(body) as { openid?: string }).openid;
}

function buttonOf(page: Page): URL {
  const [, href = ''] = /<a class="button" href="([^"]*)"/.exec(page.body) ?? [];
  return new URL(
    href.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))),
    page.url,
  );
}

const LOST = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

function isConnectionLost(error: unknown): boolean {
  return error instanceof Error && 'code' in error && LOST.has(String(error.code));
}
