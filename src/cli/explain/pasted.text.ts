import { describeErrorCode, WECHAT_ERROR_CODES } from '../../protocol/error-codes.js';
import { PAGE_TEXTS, type PageExplanation } from './page.texts.js';

/** What a pasted text tells. Nothing else of it is kept, so nothing else of it can be printed. */
export interface PastedText {
  /** In the order they come, each once. */
  codes: readonly { errcode: number; times: number }[];
  /** Texts of WeChat's pages that come without a number. */
  pages: readonly PageExplanation[];
  /** WeChat's ids of requests (`rid`, `req_id`). */
  requestIds: readonly string[];
  /** Whether it holds tokens, as a good answer does. */
  hasTokens: boolean;
  /** Whether it holds anything that nobody else should see. */
  hasSecrets: boolean;
}

/** `errcode":48001`, `errcode=40163`, `["errcode"]=> int(48001)`, `errcode 40029,`, `error code: -1`, `错误码：40029`. */
const LABELLED =
  /(?:err(?:or)?[ _-]?code|错误码|错误代码|返回码)["'\]\s]{0,8}(?:=>|[:：=]|is|为|是)?["'\s]{0,8}(?:int\()?(-?\d{1,9})(?!\w|\.\d)/giu;
/** The one short code that people write without a label, by its words. */
const SYSTEM_BUSY =
  /(?<![\w.%/-])-1[\s:,，：]{1,4}(?:system error|系统错误|系统繁忙)|(?:system error|系统错误|系统繁忙)[\s:,，：]{0,4}-1(?![\w-]|\.\d)/i;
/** A number that stands alone: no part of a date, an address, a port, a token or a longer number. */
const ALONE = /(?<![\w.%/-])(?<!(?:localhost|[\d\]]|\.[a-z]{1,24}):)(\d{5})(?![\w%]|[.:-]\d)/giu;

const REQUEST_IDS = [
  /\b([0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8})\b(?!-)/gi,
  /\breq_id["'\s]*[:=]["'\s]*([\w@.~-]{6,26})(?![\w@.~-])/gi,
  /\bhints?:\s*\[\s*([\w@.~-]{6,26})\s*\]/gi,
  /\brequest id ([\w@.~-]{6,26})\)/gi,
];

const TOKEN = /(?:access|refresh)_token["'\s]*[:=]["'\s]*[\w-]{16,}/i;
const OTHER_SECRET =
  /(?:secret["'\s]*[:=]["'\s]*\w{16,})|(?:\bcode["'\s]*[:=]["'\s]*\w{16,})|(?::\/\/[^\s:@/]{0,64}:[^\s@]{1,200}@)/i;

/** Reads an answer, a log line, an error, a page, or just a code, whatever stands around it. */
export function readPastedText(pasted: string): PastedText {
  const text = plain(pasted);
  const { codes, pages } = subjectsOf(text);
  const hasTokens = TOKEN.test(text);
  return {
    codes: counted(codes),
    pages,
    requestIds: [...new Set(REQUEST_IDS.flatMap((pattern) => captures(text, pattern)))],
    hasTokens,
    hasSecrets: hasTokens || OTHER_SECRET.test(text),
  };
}

/**
 * JSON inside JSON, inside an address, inside HTML: quotation marks and colons are what is looked for. Digits, letters
 * and signs of a Chinese keyboard's full width count as the common ones; other signs stay, as in the texts of pages.
 */
function plain(text: string): string {
  return text
    .replace(/[０-９Ａ-Ｚａ-ｚ＿－＝]/g, (character) => character.normalize('NFKC'))
    .replace(/(?<!\\)\\+"/g, '"')
    .replace(/%22|&quot;|&#34;/gi, '"')
    .replace(/%3A/gi, ':')
    .replace(/%2C/gi, ',');
}

/** Numbers first, since they are certain; then the texts of pages, then WeChat's words for a code. */
function subjectsOf(text: string): { codes: number[]; pages: PageExplanation[] } {
  const numbers = numbersIn(text);
  if (numbers.length > 0) return { codes: numbers, pages: [] };
  const meant = PAGE_TEXTS.filter(({ pattern }) => pattern.test(text)).map(({ means }) => means);
  if (meant.length === 0) return { codes: codesByText(text), pages: [] };
  return {
    codes: meant.filter((means) => typeof means === 'number'),
    pages: meant.filter((means) => typeof means !== 'number'),
  };
}

function numbersIn(text: string): number[] {
  if (/^\s*-?\d{1,9}(?:[\s,]+-?\d{1,9})*\s*$/.test(text)) return text.match(/-?\d+/g)?.map(Number) ?? [];
  const labelled = captures(text, LABELLED).map(Number);
  if (labelled.length > 0) return labelled;
  if (SYSTEM_BUSY.test(text)) return [-1];
  // Without a label only a number that means something here is one.
  return captures(text, ALONE)
    .map(Number)
    .filter((number) => describeErrorCode(number) !== undefined);
}

/** WeChat's own words without their number. The longest that fits: `invalid code` is part of longer ones. */
function codesByText(text: string): number[] {
  const words = normalized(text);
  const fitting = WECHAT_ERROR_CODES.filter(({ errmsg = '' }) => {
    const known = normalized(errmsg);
    return known.length > 0 && (isTelling(errmsg) ? words.includes(known) : words === known);
  });
  const longest = fitting.sort((a, b) => (b.errmsg ?? '').length - (a.errmsg ?? '').length)[0];
  return longest ? [longest.errcode] : [];
}

/** `system error` and the like stand in anybody's log. */
function isTelling(errmsg: string): boolean {
  return !/^(system error|invalid (url|args|page)|user limited)$/.test(errmsg);
}

function normalized(text: string): string {
  return text.toLowerCase().replace(/\s+/g, '');
}

function captures(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].flatMap(([, captured]) => (captured === undefined ? [] : [captured]));
}

function counted(errcodes: readonly number[]): { errcode: number; times: number }[] {
  const times = new Map<number, number>();
  for (const errcode of errcodes) times.set(errcode, (times.get(errcode) ?? 0) + 1);
  return [...times].map(([errcode, count]) => ({ errcode, times: count }));
}
