import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WechatEmulator, WechatEmulatorOptions } from '../../src/emulator/index.js';
import {
  answer,
  closeEmulators,
  defined,
  firstApp,
  open,
  startEmulator,
  type Page,
} from '../emulator/emulator.harness.js';
import { type Certified, certify, createAuthority } from '../support/certificate.authority.js';
import { ClientProcess } from './client.process.js';

/** Where the user comes back to in tests that need nobody there. */
export const REDIRECT_URI = 'http://localhost:3000/wechat/callback?next=%2F';

/** One who has an emoji in the nickname and everything else that a profile can have. */
export const PERSON = { nickname: '陈一诺🌈', unionid: 'oUnionOfPersonWithAnEmoji123', follows: true };

/** What WeChat tells about {@link PERSON}. */
export function profileOf(wechat: WechatEmulator) {
  const { openid, headimgurl } = defined(wechat.users[0]);
  return {
    openid,
    nickname: PERSON.nickname,
    sex: 0,
    language: '',
    city: '',
    province: '',
    country: '',
    headimgurl,
    privilege: [],
    unionid: PERSON.unionid,
  };
}

export interface ForeignOptions {
  wechat?: WechatEmulatorOptions;
  /** Names in the emulator's certificate. Default: WeChat's. */
  certifiedFor?: readonly string[];
  /** Whether the process is told of the authority. Default true. */
  trusts?: boolean;
}

export interface ForeignWorld {
  wechat: WechatEmulator;
  client: ClientProcess;
}

const processes: ClientProcess[] = [];
const folders: string[] = [];

/** An emulator behind WeChat's own names, and a process with a client that speaks to those. */
export async function startForeignClient(
  driver: string,
  { wechat: options, certifiedFor, trusts = true }: ForeignOptions = {},
): Promise<ForeignWorld> {
  const authority = await createAuthority();
  const tls = await certify(authority, certifiedFor);
  const wechat = await startEmulator({ users: [PERSON], tls, ...options });
  const { appId, appSecret } = firstApp(wechat);
  const client = new ClientProcess(driver, {
    APP_ID: appId,
    APP_SECRET: appSecret,
    EMULATOR_TLS_PORT: new URL(defined(wechat.tlsUrl)).port,
    ...(trusts ? { NODE_EXTRA_CA_CERTS: await writeCertificate(authority) } : {}),
  });
  processes.push(client);
  return { wechat, client };
}

/** Ends all that {@link startForeignClient} has started. */
export async function stopForeignClients(): Promise<void> {
  await Promise.all(processes.splice(0).map((client) => client.stop()));
  await closeEmulators();
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
}

async function writeCertificate({ cert }: Certified): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'wechat-authority-'));
  folders.push(folder);
  const file = join(folder, 'authority.pem');
  await writeFile(file, cert);
  return file;
}

/** Opens, as WeChat's browser does, the authorization page at the very address that a client has made. */
export async function openAuthorizationPage(wechat: WechatEmulator, address: string): Promise<Page> {
  const origin = 'https://open.weixin.qq.com';
  if (!address.startsWith(`${origin}/`)) {
    throw new Error(`${address} is not an address of WeChat.`);
  }
  return open(wechat.openBaseUrl + address.slice(origin.length));
}

/** Goes through the authorization page, answering it where it asks. @returns where the user is sent back to. */
export async function authorizeAt(
  wechat: WechatEmulator,
  address: string,
  allow: '0' | '1' = '1',
): Promise<URL> {
  const page = await openAuthorizationPage(wechat, address);
  const { location } = page.location === null ? await answer(wechat, page, allow) : page;
  return new URL(defined(location));
}

/** Paths of the API that have been called, in order. */
export function callsOf(wechat: WechatEmulator): string[] {
  return wechat.requests.map(({ path }) => path).filter((path) => path.startsWith('/sns/'));
}
