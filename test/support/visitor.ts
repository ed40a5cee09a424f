import { request } from 'undici';

const PAGE_HEADERS = {
  accept: 'text/html,application/xhtml+xml',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
};

export interface Visit {
  status: number;
  /** Where the visit ended, with its fragment if that is not empty. */
  url: string;
  headers: Record<string, string | undefined>;
  /** The `Set-Cookie` lines of the last response. */
  setCookies: readonly string[];
  body: string;
  /** Every address on the way, the first included. */
  trail: readonly string[];
}

/**
 * A browser as far as HTTP goes: cookies by host, redirects one by one, forms. It runs no scripts; where one would
 * go on by itself, `press` follows the button.
 */
export class Visitor {
  private readonly jar = new Map<string, Map<string, string>>();

  /**
   * @param headers sent with every request.
   * @param hosts where an origin is really to be found, by origin: as a hosts file and a TLS terminator would have it.
   */
  constructor(
    private readonly headers: Record<string, string> = {},
    private readonly hosts: Readonly<Record<string, string>> = {},
  ) {}

  /** Opens a page and follows redirects while `follow` says so (by default: all of them). */
  async open(url: string, { headers = {}, follow = () => true }: VisitOptions = {}): Promise<Visit> {
    return this.send(url, { headers: { ...PAGE_HEADERS, ...headers } }, follow);
  }

  /** What a script of the page would get. */
  fetch(url: string, init: RequestInit = {}): Promise<Visit> {
    return this.send(url, init, () => false);
  }

  /** Presses the link that looks like a button, as a person or the page's script would. */
  press(page: Visit, options?: VisitOptions): Promise<Visit> {
    const [, href] = /<a class="button" href="([^"]*)"/.exec(page.body) ?? [];
    if (href === undefined) throw new Error(`no button on ${page.url}:\n${page.body}`);
    return this.open(new URL(unescapeHtml(href), page.url).href, options);
  }

  /** Answers WeChat's consent page. */
  async answerConsent(page: Visit, answer: 'allow' | 'refuse', options: VisitOptions = {}): Promise<Visit> {
    const [, uuid] = /name="uuid" value="([^"]*)"/.exec(page.body) ?? [];
    if (uuid === undefined) throw new Error(`no consent form on ${page.url}:\n${page.body}`);
    return this.send(
      new URL('/connect/oauth2/authorize_reply', page.url).href,
      {
        method: 'POST',
        headers: { ...PAGE_HEADERS, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ uuid, allow: answer === 'allow' ? '1' : '0' }).toString(),
      },
      options.follow ?? (() => true),
    );
  }

  /** The cookies that this host has set, by name. */
  cookies(url: string): Map<string, string> {
    const { hostname } = new URL(url);
    let cookies = this.jar.get(hostname);
    if (!cookies) {
      cookies = new Map<string, string>();
      this.jar.set(hostname, cookies);
    }
    return cookies;
  }

  private async send(url: string, init: RequestInit, follow: (location: string) => boolean): Promise<Visit> {
    const trail = [url];
    let next = init;
    for (;;) {
      const current = trail.at(-1) as string;
      const visit = { ...(await this.request(current, next)), url: current.replace(/#$/, ''), trail };
      const target = redirectTarget(current, visit.headers['location']);
      if (target === undefined || !follow(target)) return visit;
      if (trail.length >= 30) throw new Error(`a redirect loop:\n${trail.join('\n')}`);
      trail.push(target);
      next = { headers: PAGE_HEADERS };
    }
  }

  // Not the global fetch: it writes Sec-Fetch-Mode and the like itself, and as a script's.
  private async request(
    url: string,
    { method = 'GET', headers = {}, body }: RequestInit,
  ): Promise<Pick<Visit, 'status' | 'headers' | 'setCookies' | 'body'>> {
    const jar = this.cookies(url);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const { origin, host, pathname, search } = new URL(url);
    const place = this.hosts[origin];
    const response = await request(place === undefined ? url : place + pathname + search, {
      method,
      headers: { ...(place && { host }), ...this.headers, ...headers, ...(cookie && { cookie }) },
      body: body ?? null,
    });
    const setCookies = [response.headers['set-cookie'] ?? []].flat();
    for (const line of setCookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/;\s*max-age=0/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return {
      status: response.statusCode,
      headers: Object.fromEntries(
        Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
      ),
      setCookies,
      body: await response.body.text(),
    };
  }
}

/** A redirect without a fragment inherits the one before, as in browsers. */
function redirectTarget(from: string, location: string | undefined): string | undefined {
  if (location === undefined) return undefined;
  const target = new URL(location, from);
  if (!location.includes('#')) target.hash = new URL(from).hash;
  return target.href;
}

interface RequestInit {
  method?: 'GET' | 'HEAD' | 'POST';
  headers?: Record<string, string>;
  body?: string;
}

interface VisitOptions {
  headers?: Record<string, string>;
  follow?: (location: string) => boolean;
}

function unescapeHtml(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}
