/**
 * What `api.weixin.qq.com/sns` says for each error code. The texts are those of public captures, apart from 41009,
 * 41018, 41021, 42002, 50001, 50002 and 61003, which nobody has published from these endpoints: they follow WeChat's table of codes.
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken
 */
export const SNS_ERROR_MESSAGES: Readonly<Record<number, string>> = {
  [-1]: 'system error',
  40001: 'invalid credential, access_token is invalid or not latest',
  40002: 'invalid grant_type',
  40003: 'invalid openid',
  40013: 'invalid appid',
  40029: 'invalid code',
  40030: 'invalid refresh_token',
  40125: 'invalid appsecret',
  40163: 'code been used',
  41001: 'access_token missing',
  41002: 'appid missing',
  41003: 'refresh_token missing',
  41004: 'appsecret missing',
  41008: 'missing code',
  41009: 'missing openid',
  41018: 'missing component_appid',
  41021: 'missing component_access_token',
  42001: 'access_token expired',
  42002: 'refresh_token expired',
  42007: 'access_token and refresh_token exception',
  45009: 'reach max api daily quota limit',
  45011: 'api minute-quota reach limit  mustslower  retry next minute',
  48001: 'api unauthorized',
  48004: 'api forbidden for irregularities',
  50001: '用户未授权该api',
  50002: 'user limited',
  61003: 'component is not authorized by this account',
};

/** The API refuses: becomes `{"errcode":...,"errmsg":"..."}` on HTTP 200. */
export class SnsError extends Error {
  constructor(readonly errcode: number) {
    super(SNS_ERROR_MESSAGES[errcode] ?? 'system error');
  }
}
