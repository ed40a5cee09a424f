/** One route under load: the same trivial handler everywhere, behind a guard or none. */
export interface Route {
  url: string;
  /** The headers of signed-in users, one user after the other: each connection is one of them, like a browser. */
  visitors: readonly Record<string, string>[];
  /** Whether it is an error to let somebody in without these headers. */
  isGuarded: boolean;
}

/** Who takes part: as many connections are kept open at a time. */
export const VISITORS = 64;

/** What the handler of every route answers. */
export const BODY = 'ok';

/** What a browser sends that opens a page, the same to every route; credentials come on top. */
export const PAGE_HEADERS = {
  accept: 'text/html,application/xhtml+xml',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
};

/** What is known of a user, in the session as in the token as in the row. */
export function profileOf(openid: string): { openid: string; nickname: string; headimgurl: string } {
  return {
    openid,
    nickname: '小明 🐼',
    headimgurl: `https://thirdwx.qlogo.cn/mmopen/vi_32/${openid.repeat(3)}/132`,
  };
}

export function openidOf(index: number): string {
  return `oBench${String(index).padStart(22, '0')}`;
}
