import { WECHAT_ERROR_CODES, type WechatErrorCode } from '../../protocol/error-codes.js';
import { wrap } from '../text.layout.js';
import type { Language } from './language.js';

/** @param filter words that must all be in the code, WeChat's words, the class or the meaning; '' for all codes. */
export function findCodes(filter: string): WechatErrorCode[] {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  return WECHAT_ERROR_CODES.filter((entry) => {
    const { errcode, errmsg = '', meaning } = entry;
    const text = [errcode, errmsg, entry.class, meaning.zh, meaning.en].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** One entry: code, class, WeChat's words; the meaning below. */
export function listText(entries: readonly WechatErrorCode[], language: Language, columns: number): string {
  return entries
    .map(({ errcode, errmsg = '', meaning, ...entry }) => {
      const texts = language === 'both' ? [meaning.zh, meaning.en] : [meaning[language]];
      const head = `${String(errcode).padStart(6)}  ${entry.class.padEnd(14)} ${errmsg}`.trimEnd();
      return [head, ...texts.map((text) => wrap(text, columns, ' '.repeat(8)))].join('\n');
    })
    .join('\n');
}
