import type { WechatAuthEventName } from '../../src/index.js';

/** The header by which WeChat's side knows who calls: the number of the instance, a slash, and the process's id. */
export const INSTANCE_HEADER = 'x-simulation-instance';

/** What an instance is told once, before anything else. */
export interface InstanceSettings {
  number: number;
  platform: 'express' | 'fastify';
  databaseUrl: string;
  wechatUrl: string;
  publicUrl: string;
  appId: string;
  appSecret: string;
  /** `WECHAT_AUTH_KEYS`. */
  keys: string;
  /** How far its clock is ahead of WeChat's, in milliseconds. */
  skewMs: number;
  nowMs: number;
}

/** What an instance can be asked to do, with what comes back. */
export interface InstanceCommands {
  /** Nothing: whatever it had to tell before has been told, and its clock is turned. */
  tick: () => void;
  /** Refreshes what is due, and looks after the ends of consents. */
  sweep: () => { refreshed: number; failed: number };
  /** Reads which sessions are over. */
  poll: () => void;
  housekeeping: () => void;
  accessToken: (openid: string) => string;
  userInfo: (openid: string) => string;
  requireConsent: (openid: string) => void;
  forget: (openid: string) => void;
  stop: () => void;
}

export type CommandName = keyof InstanceCommands;

export interface Question {
  id: number;
  /** What time it is at WeChat: the instance's clock is turned by it. */
  nowMs: number;
  command: CommandName;
  args: readonly unknown[];
}

/** How a question failed, as far as it can be told to another process. */
export interface Failure {
  name: string;
  code: string | undefined;
  reason: string | undefined;
  message: string;
}

export type Reply =
  | { kind: 'ready'; url: string }
  | { kind: 'answer'; id: number; result?: unknown; failure?: Failure }
  /** The host was told something. */
  | { kind: 'event'; name: WechatAuthEventName; payload: { openid?: string; reason?: string } };
