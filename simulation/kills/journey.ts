import type { WechatUser } from '../../src/index.js';
import { type Visit, Visitor } from '../../test/support/visitor.js';
import { GONE_HEADER } from './balancer.js';

/** More pages than any sign-in has. */
const MAX_PAGES = 10;

/** How a way to the page has ended. */
export type Arrival =
  /** With how many pages there were on the way that wanted an answer. */
  | { kind: 'there'; user: WechatUser; answers: number }
  /** The instance died that had a request of this browser. */
  | { kind: 'interrupted'; url: string }
  /** A page with nothing on it that would go on, an error, or a circle. */
  | { kind: 'stranded'; page: string };

/** A person with a phone who wants to see a page for which one has to be signed in and to have agreed. */
export class Journey {
  readonly visitor = new Visitor();

  private constructor(
    readonly openid: string,
    private readonly page: string,
  ) {}

  /** @param wechatUrl where WeChat is; the phone is this user's. */
  static async prepare(openid: string, siteUrl: string, wechatUrl: string): Promise<Journey> {
    const journey = new Journey(openid, `${siteUrl}/me`);
    const switched = await journey.visitor.fetch(`${wechatUrl}/emulator/switch-user`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ openid }).toString(),
    });
    if (switched.status !== 303) throw new Error(`WeChat does not know ${openid}: ${switched.body}`);
    return journey;
  }

  /** Opens the page, or an address on the way to it once more, and does what each page asks for. */
  async go(from = this.page): Promise<Arrival> {
    let visit = await this.visitor.open(from);
    for (let answers = 0; answers < MAX_PAGES; answers++) {
      if (GONE_HEADER in visit.headers) return { kind: 'interrupted', url: visit.url };
      if (visit.status !== 200) return stranded(visit);
      if (visit.url === this.page) {
        return { kind: 'there', user: JSON.parse(visit.body) as WechatUser, answers };
      }
      if (visit.body.includes('name="uuid"')) visit = await this.visitor.answerConsent(visit, 'allow');
      else if (visit.body.includes('<a class="button"')) visit = await this.visitor.press(visit);
      else return stranded(visit);
    }
    return stranded(visit);
  }
}

function stranded({ status, url, body }: Visit): Arrival {
  const title = /<h1[^>]*>([^<]*)/.exec(body)?.[1] ?? body.slice(0, 200);
  return { kind: 'stranded', page: `${String(status)} at ${new URL(url).pathname}: ${title}` };
}
