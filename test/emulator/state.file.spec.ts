import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  answer,
  authorize,
  authorizeUrl,
  callAuth,
  callRefresh,
  callToken,
  callUserInfo,
  closeEmulators,
  errcodeOf,
  MINUTE_MS,
  open,
  refresh,
  signIn,
  startEmulator,
  user,
} from './emulator.harness.js';

let folder: string;
let stateFile: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wechat-emulator-'));
  stateFile = join(folder, 'state.json');
});

afterEach(async () => {
  await closeEmulators();
  await rm(folder, { recursive: true });
});

describe('stateFile', () => {
  it('keeps tokens, consents, codes, people, the signed-in user and the clock over a restart', async () => {
    const first = await startEmulator({ stateFile });
    const { openid } = user(first, 1);
    await first.signInAs(openid);
    const tokens = await signIn(first, 'snsapi_userinfo');
    const used = await authorize(first, 'snsapi_base');
    await callToken(first, { code: used });
    const latest = await signIn(first, 'snsapi_userinfo');
    const code = await authorize(first, 'snsapi_base');
    const page = await open(authorizeUrl(first, { scope: 'snsapi_userinfo', forcePopup: 'true' }));
    await first.user(openid).follow();
    await first.advanceTime(MINUTE_MS);
    const before = first.now();
    await first.close();

    const second = await startEmulator({ stateFile });
    expect(second.now()).toEqual(before);
    expect(user(second, 1).follows).toBe(true);
    expect(errcodeOf(await callAuth(second, tokens))).toBe(40001);
    expect((await callUserInfo(second, latest)).text).toContain(`{"openid":"${openid}"`);
    expect(errcodeOf(await callToken(second, { code: used }))).toBe(40163);
    expect((await answer(second, page, '1')).status).toBe(302);
    expect((await callToken(second, { code })).text).toContain(`"openid":"${openid}"`);
    expect((await open(authorizeUrl(second, { scope: 'snsapi_userinfo' }))).status).toBe(302);
  });

  it('has everything in the file before an answer arrives, so that even a crash loses nothing', async () => {
    const wechat = await startEmulator({ stateFile });
    const tokens = await signIn(wechat, 'snsapi_base');

    expect(await readdir(folder)).toEqual(['state.json']);
    // What a new process finds after the first one was killed, which is still running here.
    const copy = join(folder, 'copy.json');
    await copyFile(stateFile, copy);
    const next = await startEmulator({ stateFile: copy });
    expect((await refresh(next, tokens)).access_token).toBe(tokens.access_token);
  });

  it('never gives out a code a second time, with the same seed either', async () => {
    const first = await startEmulator({ stateFile });
    const former = await authorize(first, 'snsapi_base');
    await first.close();
    const second = await startEmulator({ stateFile });

    expect(await authorize(second, 'snsapi_base')).not.toBe(former);
  });

  it('drops what belongs to people who are no longer there', async () => {
    const first = await startEmulator({ stateFile, users: [{ nickname: '赵', openid: 'oZhao' }] });
    const tokens = await signIn(first, 'snsapi_base');
    await first.close();
    const second = await startEmulator({ stateFile, users: [{ nickname: '钱', openid: 'oQian' }] });

    expect(errcodeOf(await callRefresh(second, { refresh_token: tokens.refresh_token }))).toBe(40030);
    expect((await signIn(second, 'snsapi_base')).openid).toBe('oQian');
  });

  it.each([
    ['is empty', ''],
    ['is cut off', '{"version":1,"seed":"te'],
    ['is something else', '[]'],
    ['is of another version', '{"version":2}'],
    [
      'lacks a list',
      '{"version":1,"seed":"s","randomPosition":1,"clockOffsetMs":0,"signedIn":{"userId":"o","count":0}}',
    ],
    [
      'has a token of a wrong kind',
      '{"version":1,"seed":"s","randomPosition":1,"clockOffsetMs":0,"signedIn":{"userId":"o","count":0},"users":[],"consents":[],"pending":[],"codes":[],"pairs":[{"openid":7}]}',
    ],
  ])('says which file is broken and what to do when it %s', async (_case, content) => {
    await writeFile(stateFile, content);

    const attempt = startEmulator({ stateFile });
    await expect(attempt).rejects.toThrow('Delete it to start afresh.');
    await expect(attempt).rejects.toMatchObject({ code: 'emulator_state_file' });
    await expect(attempt).rejects.toThrow(stateFile);
    expect(await readFile(stateFile, 'utf8')).toBe(content);
  });

  it('says so when the file cannot be written, and leaves its port free', async () => {
    const { url, close } = await startEmulator();
    await close();
    const port = Number(new URL(url).port);
    const attempt = startEmulator({ port, stateFile: join(folder, 'missing', 'state.json') });

    await expect(attempt).rejects.toThrow('Its folder must exist and be writable.');
    expect((await startEmulator({ port })).url).toBe(url);
  });
});
