import {
  WECHAT_ERROR_CODES,
  classifyErrorCode,
  describeErrorCode,
  type WechatErrorClass,
} from '../../src/protocol/error-codes.js';

describe('the catalogue of error codes', () => {
  it('knows every code that web-page sign-in is known to meet, once', () => {
    const known = [
      -1, 10003, 10004, 10005, 10006, 10009, 10010, 10011, 10012, 10013, 10015, 10016, 40001, 40002, 40003,
      40013, 40014, 40029, 40030, 40066, 40097, 40125, 40163, 40164, 40226, 41001, 41002, 41003, 41004, 41008,
      41009, 41018, 41021, 41030, 42001, 42002, 42003, 42007, 43001, 43002, 43003, 45009, 45011, 45035, 48001,
      48004, 50001, 50002, 50005, 61003, 61004, 61005, 61006, 61007, 61009, 61010, 61014, 61023,
    ];
    expect(WECHAT_ERROR_CODES.map(({ errcode }) => errcode)).toEqual(known);
  });

  it('knows nothing of a code it has never met', () => {
    expect(describeErrorCode(424242)).toBeUndefined();
    expect(classifyErrorCode(424242, 'token')).toBeUndefined();
  });

  it.each(WECHAT_ERROR_CODES.map((entry) => [entry.errcode, entry] as const))(
    'explains %d in Chinese and in English, each on one line',
    (_errcode, { meaning, causes, cure }) => {
      expect(causes.length).toBeGreaterThan(0);
      for (const { zh, en } of [meaning, cure, ...causes]) {
        expect(zh).toMatch(/\p{Script=Han}.*[。]$/u);
        expect(en).toMatch(/^[^\n]+\.$/);
        // English words may stand in the Chinese text, but no half-width sentence marks after Chinese words.
        expect(zh).not.toMatch(/\p{Script=Han}[,;:?!]/u);
        expect(en).not.toMatch(/[，。；：？！]/);
      }
    },
  );

  it('calls only what passes by itself worth another try', () => {
    const retryable = WECHAT_ERROR_CODES.filter((entry) => entry.retryable);
    expect(retryable.map(({ errcode }) => errcode)).toEqual([-1, 10009, 45009, 45011]);
  });

  it.each<[number, WechatErrorClass]>([
    [-1, 'transient'],
    [45011, 'quota'],
    [40029, 'code'],
    [40163, 'code'],
    [40001, 'token'],
    [40030, 'token'],
    [42001, 'token'],
    [42002, 'token'],
    [42007, 'token'],
    [48001, 'consent'],
    [50001, 'consent'],
    [40013, 'configuration'],
    [40125, 'configuration'],
    [48004, 'configuration'],
    [50002, 'user'],
    [41001, 'usage'],
  ])('holds %d for a matter of: %s', (errcode, errorClass) => {
    expect(describeErrorCode(errcode)?.class).toBe(errorClass);
  });

  it('reads two codes differently where the call makes a difference', () => {
    expect(classifyErrorCode(40001, 'token')).toBe('configuration');
    expect(classifyErrorCode(40001, 'userinfo')).toBe('token');
    expect(classifyErrorCode(40029, 'token')).toBe('code');
    expect(classifyErrorCode(40029, 'refresh')).toBe('token');
  });

  it('explains 48001 by the token, by luck, by the snapshot page, by withdrawal and by the account', () => {
    const causes = describeErrorCode(48001)?.causes.map(({ en }) => en) ?? [];
    expect(causes).toEqual([
      expect.stringContaining('snsapi_base'),
      expect.stringContaining('Sometimes it works'),
      expect.stringContaining('is_snapshotuser'),
      expect.stringContaining('withdrawn'),
      expect.stringContaining('every user'),
    ]);
  });
});
