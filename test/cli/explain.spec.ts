import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { explain, type Explanation } from '../../src/cli/explain/explanation.js';
import { explanationText } from '../../src/cli/explain/explanation.text.js';
import { languageOf } from '../../src/cli/explain/language.js';
import { readPastedText } from '../../src/cli/explain/pasted.text.js';
import { columnsOf } from '../../src/cli/text.layout.js';
import { WECHAT_ERROR_CODES } from '../../src/protocol/error-codes.js';
import { WechatResponseError } from '../../src/protocol/wechat-response.error.js';
import { runCommand, spawnCommand } from './command.runner.js';

const ENGLISH = { LANG: 'en_US.UTF-8' };
/** As long as WeChat's are. */
const ACCESS_TOKEN = `83_${'aB3-dE5_fG7hJ9kL'.repeat(6)}accessToken`;
const CODE = '071AdBVI1ZHOd509MKUI1jwjVI1AdBVV';
const APP_SECRET = '9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d';

function codesIn(text: string): number[] {
  return readPastedText(text).codes.map(({ errcode }) => errcode);
}

describe('explain 48001, as pasted by a newcomer', () => {
  const pasted = '{"errcode":48001,"errmsg":"api unauthorized, hints: [ req_id: 1QoCla0699ns81 ]"}';

  it('says what happened, why, and what to do with this module and by hand', async () => {
    const { exitCode, stdout, stderr } = await spawnCommand(['explain', pasted], { env: ENGLISH });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const headings = stdout.split('\n').filter((line) => /^\S/.test(line));
    expect(headings).toEqual([
      '48001  api unauthorized',
      'What happened',
      'Good to know',
      'Causes, likeliest first',
      'What to do',
      'With nestjs-wechat-auth',
      'By hand',
      'Request id',
      '中文：--lang zh',
    ]);
    expect(stdout).toContain('1. The access token comes from a silent snsapi_base authorization');
    expect(stdout).toContain("Write @WechatAuth('userinfo') on the route");
    expect(stdout).toContain('1QoCla0699ns81');
  });

  it('says the same in Chinese, on a Chinese terminal or when asked', async () => {
    const [terminal, asked] = await Promise.all([
      runCommand(['explain', pasted], { env: { LANG: 'zh_CN.UTF-8' } }),
      runCommand(['explain', pasted, '--lang', 'zh'], { env: ENGLISH }),
    ]);
    expect(asked).toEqual(terminal);
    expect(terminal.stdout).toContain('原因（最可能的在前）\n  1. access_token 来自 snsapi_base 静默授权');
    expect(terminal.stdout).toContain('自己实现');
    expect(terminal.stdout).not.toContain('What happened');
  });

  it('says it in both languages where the terminal has none', async () => {
    const { stdout } = await runCommand(['explain', '48001'], { env: { LANG: 'C.UTF-8' } });
    expect(stdout.indexOf('发生了什么')).toBeGreaterThan(0);
    expect(stdout.indexOf('What happened')).toBeGreaterThan(stdout.indexOf('自己实现'));
  });
});

describe('explain takes', () => {
  it.each<[string, string, number[]]>([
    ['a bare code', '48001', [48001]],
    ['a negative one', '-1', [-1]],
    ['several', '40029, 40163 42001', [40029, 40163, 42001]],
    ['a piece of an address', 'errcode=40163&errmsg=code+been+used', [40163]],
    [
      'an answer of WeChat',
      '{"errcode":40029,"errmsg":"invalid code, rid: 65c17d8c-5cf05990-781aabe9"}',
      [40029],
    ],
    [
      'an answer with blanks and a number as text',
      '{ "errcode" : "40013", "errmsg" : "invalid appid" }',
      [40013],
    ],
    [
      'an answer inside a JSON log line',
      '{"level":"error","msg":"failed: {\\"errcode\\":42002,\\"errmsg\\":\\"x\\"}"}',
      [42002],
    ],
    ['an answer inside an address', 'https://x/?error=%7B%22errcode%22%3A45011%2C%22errmsg%22', [45011]],
    ['an answer inside a page', '{&quot;errcode&quot;:40125}', [40125]],
    ['what Node.js prints of an object', "{ errcode: 41008, errmsg: 'missing code' }", [41008]],
    ['a log line', '2026-11-22 20:03:10.123 [43210] ERROR WeChat failed (40029) at 10.0.0.1:43001', [40029]],
    ['a sentence in Chinese', '微信登录失败，错误码：40163，请重试', [40163]],
    ['a code with its text', '50001 用户未授权该 api', [50001]],
    ["WeChat's words without a code", 'Error: code been used, rid: 65c17d8c-5cf05990-781aabe9', [40163]],
    ["WeChat's words in capitals", 'API UNAUTHORIZED', [48001]],
    ['a page about the redirect URI', 'redirect_uri 参数错误', [10003]],
    ['the same in one word', '微信\nredirect_uri参数错误\n确定', [10003]],
    ['a page about the scope', 'Scope 参数错误或没有 Scope 权限', [10005]],
    ['a page with a number', '10003 redirect_uri域名与后台配置不一致', [10003]],
    ['a page about the account', '此公众号被封禁', [10004]],
    ['full-width digits', '错误码：４８００１', [48001]],
    ['full-width digits alone', '４８００１', [48001]],
    ['what PHP dumps', '["errcode"]=>\n  int(-1)', [-1]],
    ['-1 with its words', '-1 system error', [-1]],
    ['-1 after its words', '系统错误 -1', [-1]],
    ['success', '{"errcode":0,"errmsg":"ok"}', [0]],
    ['a code that is unknown', 'errcode 99999', [99999]],
  ])('%s', (_, text, codes) => {
    expect(codesIn(text)).toEqual(codes);
  });

  it('the error of this module', () => {
    const { message } = new WechatResponseError({
      endpoint: 'userinfo',
      code: 'wechat_error',
      errcode: 48001,
      errmsg: 'api unauthorized, hints: [ req_id: 1QoCla0699ns81 ]',
    });
    expect(codesIn(message)).toEqual([48001]);
    expect(readPastedText(message).requestIds).toEqual(['1QoCla0699ns81']);
  });

  it.each<[string, string]>([
    ['state参数过长', 'state'],
    ['请在微信客户端打开链接', 'outside of WeChat'],
    ['该链接无法访问', 'does not accept'],
  ])('the page that says %s, which has no code', (text, words) => {
    const [explanation, ...others] = explain(readPastedText(`微信\n${text}\n`));
    expect(others).toEqual([]);
    expect(explanation).toMatchObject({ known: true, text });
    expect(explanation?.meaning.en).toContain(words);
  });

  it('every code once, and counts', () => {
    const { codes } = readPastedText('errcode=40029\nerrcode=40163\n{"errcode":40029}\n');
    expect(codes).toEqual([
      { errcode: 40029, times: 2 },
      { errcode: 40163, times: 1 },
    ]);
  });

  it.each<[string, string]>([
    ['a date, a port and a duration', '2026-11-22 GET http://localhost:10003/ 127.0.0.1:43001 200 10003ms'],
    ['an authorization code that begins with digits', `GET /wechat/callback?code=40029${CODE.slice(5)}`],
    ['half of a longer number', 'order 140029 and 400290, id 40029-1'],
    ['words of -1 and a longer number', 'system error -12, 3-1 system error'],
    ['a word that is like a text of WeChat', 'a system error occurred'],
    ['nothing', '   \n'],
  ])('no code from %s', (_, text) => {
    expect(codesIn(text)).toEqual([]);
  });
});

describe('explain', () => {
  it('finds request ids of every form, and the time in those of today', () => {
    const pasted = readPastedText(
      'errcode 40029, rid: 65c17d8c-5cf05990-781aabe9 | hints: [ req_id: plAv90053th21 ] | hint: [abc.DEF-12@x]',
    );
    expect(pasted.requestIds).toEqual(['65c17d8c-5cf05990-781aabe9', 'plAv90053th21', 'abc.DEF-12@x']);
    expect(explanationText(explain(pasted), pasted, 'en', 80)).toContain(
      '65c17d8c-5cf05990-781aabe9  (2024-02-06T00:30:04Z)',
    );
  });

  it('repeats no token, code, secret or openid of what is pasted, and warns of them', async () => {
    const openid = 'oEFbq5Zc0ZyLqJ9wY3sX1kT8uV2w';
    const pasted =
      `GET https://api.weixin.qq.com/sns/oauth2/access_token?appid=wx1&secret=${APP_SECRET}&code=${CODE} -> ` +
      `{"errcode":40163,"errmsg":"code been used ${ACCESS_TOKEN}, rid: 65c17d8c-5cf05990-781aabe9","access_token":"${ACCESS_TOKEN}","openid":"${openid}"}`;
    for (const args of [['--lang', 'both'], ['--json']]) {
      const { exitCode, stdout, stderr } = await runCommand(['explain', pasted, ...args]);
      expect(exitCode).toBe(0);
      expect(stdout).toContain('40163');
      for (const secret of [ACCESS_TOKEN, CODE, APP_SECRET, openid])
        expect(stdout + stderr).not.toContain(secret);
    }
    const { hasSecrets } = readPastedText(pasted);
    expect(hasSecrets).toBe(true);
    expect(explanationText([], { requestIds: [], hasSecrets }, 'en', 80)).toContain('Take care');
    expect(readPastedText('{"errcode":41001,"errmsg":"access_token missing"}').hasSecrets).toBe(false);
  });

  it('knows an answer of success by its tokens, and does not take it for an error', async () => {
    const { exitCode, stdout, stderr } = await runCommand([
      'explain',
      `{"access_token":"${ACCESS_TOKEN}","expires_in":7200,"openid":"o1","scope":"snsapi_base"}`,
    ]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain('an answer of success, with tokens');
    expect(stderr).not.toContain(ACCESS_TOKEN);
  });

  it('takes a negative code and an unquoted text from the command line', async () => {
    const [negative, unquoted] = await Promise.all([
      spawnCommand(['explain', '-1', '--lang', 'en']),
      runCommand(['explain', 'redirect_uri', '参数错误', '--lang', 'en']),
    ]);
    expect(negative).toMatchObject({ exitCode: 0, stderr: '' });
    expect(negative.stdout).toMatch(/^-1 {2}system error\n/);
    expect(unquoted.stdout).toMatch(/^10003 /);
  });

  it('reads what is piped, with "-" or without', async () => {
    const input = 'one\n{"errcode":40029}\nerrcode=40163\n';
    const [dash, bare] = await Promise.all([
      spawnCommand(['explain', '-', '--lang', 'en'], { input }),
      spawnCommand(['explain', '--lang', 'en'], { input }),
    ]);
    expect(dash).toMatchObject({ exitCode: 0, stderr: '' });
    expect(dash.stdout).toContain('40029  invalid code');
    expect(dash.stdout).toContain('40163  code been used');
    expect(bare).toEqual(dash);
  });

  it('says that it found nothing, and how to ask', async () => {
    const { exitCode, stdout, stderr } = await runCommand(['explain'], { input: '' });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain('No error code was found');
    expect(stderr).toContain('explain 48001');
  });

  it('is not held up by megabytes of anything', async () => {
    const input = `${'errcode'.repeat(1_000)}${' '.repeat(500_000)}${'"'.repeat(500_000)}${'1.'.repeat(500_000)}`;
    const { exitCode, stderr } = await runCommand(['explain', '-'], { input });
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('No error code'),
    });
    const tooMuch = await runCommand(['explain', '-'], { input: 'x'.repeat(5 * 1024 * 1024) });
    expect(tooMuch).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('too much') });
  });

  it('admits that it does not know a code, says where to look, and explains the others', async () => {
    const { exitCode, stdout } = await runCommand(['explain', '99999 40029'], { env: ENGLISH });
    expect(exitCode).toBe(1);
    expect(stdout).toContain('99999\n\nWhat happened\n  This catalogue does not have the code');
    expect(stdout).toContain('https://developers.weixin.qq.com/');
    expect(stdout).toContain('40029  invalid code');
  });

  it('prints JSON with both languages', async () => {
    const { exitCode, stdout } = await runCommand([
      'explain',
      '--json',
      '{"errcode":45011,"errmsg":"api minute-quota, rid: 65c17d8c-5cf05990-781aabe9"}',
    ]);
    expect(exitCode).toBe(0);
    const { explanations, requestIds } = JSON.parse(stdout) as {
      explanations: Explanation[];
      requestIds: string[];
    };
    expect(requestIds).toEqual(['65c17d8c-5cf05990-781aabe9']);
    expect(explanations).toEqual([
      expect.objectContaining({ errcode: 45011, known: true, class: 'quota', retryable: true, times: 1 }),
    ]);
    expect(Object.keys(explanations[0]?.cure ?? {})).toEqual(['zh', 'en']);
    const nothing = await runCommand(['explain', '--json', 'nothing']);
    expect(nothing.exitCode).toBe(1);
    expect(JSON.parse(nothing.stdout)).toEqual({ explanations: [], requestIds: [] });
  });

  it('lists every code, or those that fit', async () => {
    const [all, some, json, none] = await Promise.all([
      runCommand(['explain', '--list', '--lang', 'en']),
      runCommand(['explain', '--list', 'refresh_token', 'token', '--lang', 'zh']),
      runCommand(['explain', '--list', '48001', '--json']),
      runCommand(['explain', '--list', 'no such thing']),
    ]);
    for (const { errcode } of WECHAT_ERROR_CODES)
      expect(all.stdout).toMatch(new RegExp(`^ *${errcode} {2}\\w`, 'm'));
    expect(some.stdout).toContain(
      ' 42002  token          refresh_token expired\n        refresh_token 已过期。',
    );
    expect(some.stdout).not.toContain('48001');
    expect((JSON.parse(json.stdout) as { codes: unknown[] }).codes).toHaveLength(1);
    expect(none).toMatchObject({ exitCode: 1, stdout: '' });
    expect(none.stderr).toContain('No known code fits');
  });

  it('keeps within the width of a terminal, in both languages', () => {
    for (const { errcode } of WECHAT_ERROR_CODES) {
      const text = explanationText(
        explain({ codes: [{ errcode, times: 1 }], pages: [] }),
        { requestIds: [], hasSecrets: false },
        'both',
        80,
      );
      const tooLong = text.split('\n').filter((line) => columnsOf(line) > 80 && /\S\s+\S/.test(line.trim()));
      expect(tooLong).toEqual([]);
      // No line of a Chinese text begins with a sign that closes something.
      expect(text).not.toMatch(/^\s*[，。；：？！、）”]/mu);
    }
  });
});

describe('the language', () => {
  it.each<[NodeJS.ProcessEnv, string]>([
    [{ LANG: 'zh_CN.UTF-8' }, 'zh'],
    [{ LANG: 'zh_TW' }, 'zh'],
    [{ LANG: 'en_US.UTF-8', LC_ALL: 'zh_CN' }, 'zh'],
    [{ LANG: 'zh_CN.UTF-8', LC_MESSAGES: 'de_DE.UTF-8' }, 'en'],
    [{ LANG: 'en_GB.UTF-8' }, 'en'],
    [{ LANG: 'C.UTF-8' }, 'both'],
    [{ LANG: 'POSIX' }, 'both'],
    [{ LANG: '' }, 'both'],
    [{}, 'both'],
  ])('of %o is %s', (env, language) => {
    expect(languageOf(env)).toBe(language);
  });
});

describe('the document', () => {
  it('shows what explain really prints', async () => {
    const text = readFileSync(resolve(import.meta.dirname, '../../docs/command-line.md'), 'utf8');
    const shown = [...text.matchAll(/^```console\n\$ npx nestjs-wechat-auth (explain .*)\n([^]*?)^```$/gm)];
    expect(shown.length).toBeGreaterThan(0);
    for (const [, command = '', output = ''] of shown) {
      const args = command.match(/'[^']*'|\S+/g)?.map((word) => word.replace(/^'|'$/g, '')) ?? [];
      expect((await runCommand(args, { env: ENGLISH })).stdout).toBe(output);
    }
  });
});

describe('explain, given a log of megabytes', () => {
  it('reads it to the end, also where it is full of backslashes', () => {
    const text = `${'\\'.repeat(2_000_000)} {\\\\"errcode\\\\":48001}`;
    expect(codesIn(text)).toEqual([48001]);
  });
});
