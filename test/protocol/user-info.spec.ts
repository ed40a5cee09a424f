import { ACCESS_TOKEN, OPENID, ScriptedWechat, UNIONID, failureOf, wechatAnswer } from './scripted-wechat.js';

let wechat: ScriptedWechat;
beforeEach(async () => {
  wechat = await ScriptedWechat.start();
});
afterEach(() => wechat.close());

const fetchUserInfo = () => wechat.client().fetchUserInfo({ accessToken: ACCESS_TOKEN, openid: OPENID });

describe("a user's profile", () => {
  it('is read as WeChat sends it today', async () => {
    wechat.answers(
      wechatAnswer(
        `{"openid":"${OPENID}","nickname":"恩爸👨‍👧","sex":0,"language":"","city":"","province":"","country":"","headimgurl":"https:\\/\\/thirdwx.qlogo.cn\\/mmopen\\/vi_32\\/abc\\/132","privilege":["chinaunicom"],"unionid":"${UNIONID}"}`,
      ),
    );
    await expect(fetchUserInfo()).resolves.toEqual({
      openid: OPENID,
      nickname: '恩爸👨‍👧',
      headimgurl: 'https://thirdwx.qlogo.cn/mmopen/vi_32/abc/132',
      sex: 0,
      language: '',
      province: '',
      city: '',
      country: '',
      privilege: ['chinaunicom'],
      unionid: UNIONID,
    });
    expect(wechat.lastPath).toBe(`/sns/userinfo?access_token=${ACCESS_TOKEN}&openid=${OPENID}&lang=zh_CN`);
  });

  it('is asked for in the language that is wanted', async () => {
    wechat.answers(wechatAnswer({ openid: OPENID }));
    await wechat.client().fetchUserInfo({ accessToken: ACCESS_TOKEN, openid: OPENID, lang: 'en' });
    expect(wechat.lastPath).toMatch(/&lang=en$/);
  });

  it('may lack everything but the openid', async () => {
    wechat.answers(wechatAnswer({ openid: OPENID, nickname: null, privilege: null, unionid: '' }));
    await expect(fetchUserInfo()).resolves.toEqual({
      openid: OPENID,
      nickname: '',
      headimgurl: '',
      sex: 0,
      language: '',
      province: '',
      city: '',
      country: '',
      privilege: [],
    });
  });

  it('of another user is refused: a name must not end up at the wrong person', async () => {
    wechat.answers(wechatAnswer({ openid: 'oSomebodyElse', nickname: 'Mallory' }));
    const error = await failureOf(fetchUserInfo());
    expect(error).toMatchObject({ code: 'malformed_response', endpoint: 'userinfo' });
    expect(error.message).not.toContain('oSomebodyElse');
  });

  it.each([
    ['openid', undefined],
    ['nickname', 42],
    ['headimgurl', {}],
    ['sex', 'male'],
    ['sex', 0.5],
    ['city', []],
    ['privilege', 'chinaunicom'],
    ['privilege', [1]],
    ['unionid', false],
  ])('is refused, by the name of the field, if %s is %j', async (field, value) => {
    wechat.answers(wechatAnswer({ openid: OPENID, [field]: value }));
    const error = await failureOf(fetchUserInfo());
    expect(error.code).toBe('malformed_response');
    expect(error.message).toContain(`the field ${field} `);
  });
});

describe('a profile in bytes that are not quite JSON', () => {
  const nickname = async (body: string | Buffer) => {
    wechat.answers(wechatAnswer(body));
    return (await fetchUserInfo()).nickname;
  };
  const profile = (name: string) => `{"openid":"${OPENID}","nickname":"${name}"}`;

  it('is read with a byte order mark and blanks around it', async () => {
    await expect(nickname(`\uFEFF\r\n ${profile('恩爸')}\n\n`)).resolves.toBe('恩爸');
    await expect(nickname(`\uFEFF\uFEFF${profile('恩爸')}\u00A0`)).resolves.toBe('恩爸');
  });

  it('is read with broken UTF-8 in the nickname, which is shown as replacement characters', async () => {
    const [before, after] = profile('|').split('|');
    const bytes = Buffer.concat([
      Buffer.from(before ?? ''),
      Buffer.from([0xe6, 0x81, 0x41, 0xff]),
      Buffer.from(after ?? ''),
    ]);
    await expect(nickname(bytes)).resolves.toBe('\uFFFDA\uFFFD');
  });

  it('is read with raw control characters in the nickname', async () => {
    await expect(nickname(profile('a\u0001b\nc\td\\\\'))).resolves.toBe('a\u0001b\nc\td\\');
  });

  it('is read with quotes and backslashes beside raw control characters', async () => {
    await expect(nickname(profile('\\"\n\\\\\u0002\\"'))).resolves.toBe('"\n\\\u0002"');
  });

  it('is read with control characters outside of its strings', async () => {
    await expect(nickname(`\u0000${profile('a')}\u0000\u0000`)).resolves.toBe('a');
    await expect(nickname(`${profile('a\\\\')}\u0000`)).resolves.toBe('a\\');
    await expect(nickname(`${profile('a\\\n')}\u0000`)).resolves.toMatch(/^a/);
  });

  it('loses NUL characters and half characters, which PostgreSQL cannot store', async () => {
    await expect(nickname(profile('a\\u0000b\u0000c\\ud83dd\\ude00e'))).resolves.toBe('abc\uFFFDd\uFFFDe');
    await expect(nickname(profile('\\ud83d\\ude00'))).resolves.toBe('😀');
  });

  it('is read whatever the content type says', async () => {
    wechat.answers(wechatAnswer(profile('恩爸'), { headers: { 'content-type': 'image/png; encoding=gbk' } }));
    await expect(fetchUserInfo()).resolves.toMatchObject({ nickname: '恩爸' });
  });
});
