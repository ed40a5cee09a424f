import { error, type Finding, notChecked, ok, warning } from './finding.js';

const WARNING_FROM_MS = 5_000;
const ERROR_FROM_MS = 60_000;

const HARM =
  "Sign-ins work all the same, since the module goes by the database's clock; but log lines do not match WeChat's, and TLS and tokens of other services may fail.";

/** @param aheadMs the other's clock minus this machine's; undefined if it could not be read. */
export function checkClock(aheadMs: { database: number | undefined; wechat: number | undefined }): Finding[] {
  return [offsetFinding('the database', aheadMs.database), offsetFinding('WeChat', aheadMs.wechat)];
}

function offsetFinding(other: string, aheadMs: number | undefined): Finding {
  if (aheadMs === undefined)
    return notChecked('clock', `this machine's clock against ${other}`, 'since its time could not be read');
  const offMs = Math.abs(aheadMs);
  if (offMs < WARNING_FROM_MS)
    return ok('clock', `This machine's clock agrees with ${other} (to ${WARNING_FROM_MS / 1_000} s).`);
  const message = `This machine's clock is ${inWords(offMs)} ${aheadMs > 0 ? 'behind' : 'ahead of'} ${other}. ${HARM}`;
  const cure = `Set the clocks of this machine and the database server by NTP (timedatectl set-ntp true).`;
  return offMs < ERROR_FROM_MS ? warning('clock', message, cure) : error('clock', message, cure);
}

function inWords(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`;
}
