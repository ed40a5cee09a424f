import { appendFile, copyFile, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
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

/** The file of an emulator to which nothing has happened. */
function line(changes: object = {}): string {
  const signedIn = { userId: 'o', count: 0 };
  const head = { version: 3, seed: 's', randomPosition: 1, clockOffsetMs: 0, signedIn };
  const lists = { users: [], firstEntry: 0, entryCount: 0, entries: [], pending: [], codes: [], gone: [] };
  return `${JSON.stringify({ ...head, ...lists, ...changes })}\n`;
}

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

    expect(await readdir(folder)).toEqual(['state.json', 'state.json.lock']);
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
    ['is empty', '', 'it has no whole line'],
    ['is cut off', '{"version":3,"seed":"te', 'it has no whole line'],
    ['is something else', '[]\n', 'version is undefined'],
    ['is of another version', '{"version":2}\n', 'version is 2'],
    ['lacks a list', line({ pending: undefined }), 'pending is not a list'],
    ['lacks what is gone', line({ gone: undefined }), 'gone is not a list'],
    ['has a code of a wrong kind', line({ codes: [{ openid: 7 }] }), 'codes[0].openid is not a string'],
    ['has a change that is none', `${line()}{}\n${line()}`, 'version is undefined'],
  ])('says which file is broken and what to do when it %s', async (_case, content, reason) => {
    await writeFile(stateFile, content);

    const attempt = startEmulator({ stateFile });
    await expect(attempt).rejects.toThrow(reason);
    await expect(attempt).rejects.toThrow('Delete it to start afresh.');
    await expect(attempt).rejects.toMatchObject({ code: 'emulator_state_file' });
    await expect(attempt).rejects.toThrow(stateFile);
    expect(await readFile(stateFile, 'utf8')).toBe(content);
    expect(await readdir(folder)).toEqual(['state.json']);
  });

  it('says so when the file cannot be written, and leaves its port free', async () => {
    const { url, close } = await startEmulator();
    await close();
    const port = Number(new URL(url).port);
    const attempt = startEmulator({ port, stateFile: join(folder, 'missing', 'state.json') });

    await expect(attempt).rejects.toThrow('Its folder must exist and be writable.');
    expect((await startEmulator({ port })).url).toBe(url);
  });

  it('is not touched by a request that changes nothing', async () => {
    const wechat = await startEmulator({ stateFile });
    const page = await open(authorizeUrl(wechat, { scope: 'snsapi_userinfo' }));
    await callAuth(wechat, await signIn(wechat, 'snsapi_base'));
    // Where it would come to be again.
    await rm(stateFile);

    await open(wechat.url);
    await open(`${wechat.url}/nowhere`);
    await open(user(wechat).headimgurl);
    expect(await readdir(folder)).toEqual(['state.json.lock']);

    await answer(wechat, page, '0');
    expect(await readdir(folder)).toEqual(['state.json', 'state.json.lock']);
  });

  it('grows by what has changed, however many people there are', async () => {
    const wechat = await startEmulator({ stateFile, users: 5_000 });
    await wechat.user(user(wechat, 7).openid).deregister();
    const before = await readFile(stateFile, 'utf8');
    await signIn(wechat, 'snsapi_base');
    const after = await readFile(stateFile, 'utf8');

    expect(before.length).toBeLessThan(2_000);
    expect(after.slice(0, before.length)).toBe(before);
    expect(after.length - before.length).toBeLessThan(3_000);
  });

  it('is written anew when its changes have grown long, and loses nothing by that', async () => {
    const first = await startEmulator({ stateFile });
    const tokens = await signIn(first, 'snsapi_base');
    let longest = 0;
    let size = 0;
    while (size >= longest) {
      longest = size;
      await first.advanceTime(1);
      size = (await readFile(stateFile)).length;
    }
    await first.close();

    expect(longest).toBeLessThan(2 * 1024 * 1024);
    expect(size).toBeLessThan(3_000);
    const second = await startEmulator({ stateFile });
    expect(second.now()).toEqual(first.now());
    expect((await refresh(second, tokens)).access_token).toBe(tokens.access_token);
  });

  it('keeps people as they are, also where they are again as they were at first', async () => {
    const first = await startEmulator({ stateFile });
    const [one, two] = [user(first, 0).openid, user(first, 1).openid];
    await first.user(one).unfollow();
    await first.user(two).follow();
    await first.user(two).unfollow();
    await first.close();
    const second = await startEmulator({ stateFile });
    await second.close();
    const third = await startEmulator({ stateFile });

    expect([second, third].map(({ users }) => users.map(({ follows }) => follows))).toEqual([
      [false, false, false],
      [false, false, false],
    ]);
  });

  it('forgets over a restart what a reset has forgotten, and a page that was answered', async () => {
    const first = await startEmulator({ stateFile });
    const tokens = await signIn(first, 'snsapi_base');
    await first.user(user(first).openid).unfollow();
    await first.reset();
    const page = await open(authorizeUrl(first, { scope: 'snsapi_userinfo' }));
    await answer(first, page, '0');
    await first.close();
    const second = await startEmulator({ stateFile });

    expect(errcodeOf(await callRefresh(second, { refresh_token: tokens.refresh_token }))).toBe(40030);
    expect(user(second).follows).toBe(true);
    expect((await answer(second, page, '1')).status).not.toBe(302);
  });

  it('goes without the change that a crash has cut off, whose answer never left', async () => {
    const first = await startEmulator({ stateFile });
    const tokens = await signIn(first, 'snsapi_base');
    await first.close();
    await appendFile(stateFile, '{"version":3,"seed":"te');

    const second = await startEmulator({ stateFile });
    expect((await refresh(second, tokens)).access_token).toBe(tokens.access_token);
    await second.close();
    await startEmulator({ stateFile });
  });

  it('is whole again after it was deleted under the emulator', async () => {
    const first = await startEmulator({ stateFile });
    const tokens = await signIn(first, 'snsapi_base');
    await rm(stateFile);
    await first.advanceTime(MINUTE_MS);
    await first.close();
    const second = await startEmulator({ stateFile });

    expect((await refresh(second, tokens)).access_token).toBe(tokens.access_token);
  });
});

describe('an emulator whose state file is in use', () => {
  it('does not start, says by whom it is used, and starts once that one has stopped', async () => {
    const first = await startEmulator({ stateFile });
    const tokens = await signIn(first, 'snsapi_base');

    const attempt = startEmulator({ stateFile });
    await expect(attempt).rejects.toMatchObject({ code: 'emulator_state_file' });
    await expect(attempt).rejects.toThrow(
      `${stateFile} is in use by the process ${String(process.pid)}. Stop the emulator there, or give another stateFile`,
    );
    expect((await refresh(first, tokens)).access_token).toBe(tokens.access_token);
    await first.close();
    const second = await startEmulator({ stateFile });
    expect((await refresh(second, tokens)).access_token).toBe(tokens.access_token);
  });

  it('does not start beside that of another process', async () => {
    await writeFile(`${stateFile}.lock`, String(process.ppid));

    await expect(startEmulator({ stateFile })).rejects.toThrow(`by the process ${String(process.ppid)}.`);
    expect(await readdir(folder)).toEqual(['state.json.lock']);
  });

  it('takes the file over from a process that had its own id, as the last start of a container', async () => {
    await writeFile(`${stateFile}.lock`, String(process.pid));
    await utimes(`${stateFile}.lock`, 1_700_000_000, 1_700_000_000);

    const wechat = await startEmulator({ stateFile });
    await expect(startEmulator({ stateFile })).rejects.toMatchObject({ code: 'emulator_state_file' });
    await wechat.close();
    expect(await readdir(folder)).toEqual(['state.json']);
  });

  it('takes the file over where the lock has no process id in it, as after a power failure', async () => {
    await writeFile(`${stateFile}.lock`, '');

    await startEmulator({ stateFile });
    expect(await readFile(`${stateFile}.lock`, 'utf8')).toBe(`${String(process.pid)}\n`);
  });

  it('leaves the file to others if it could not start', async () => {
    const { url } = await startEmulator();
    const port = Number(new URL(url).port);

    await expect(startEmulator({ port, stateFile })).rejects.toMatchObject({ code: 'emulator_port' });
    await startEmulator({ stateFile });
  });

  it('keeps nothing in it any more once it has stopped', async () => {
    const first = await startEmulator({ stateFile });
    await first.close();
    const content = await readFile(stateFile, 'utf8');
    await first.advanceTime(MINUTE_MS);

    expect(await readFile(stateFile, 'utf8')).toBe(content);
  });
});
