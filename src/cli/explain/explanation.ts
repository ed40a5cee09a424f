import { describeErrorCode, type LocalizedText, type WechatErrorClass } from '../../protocol/error-codes.js';
import { adviceFor } from './advice.js';
import type { PageExplanation } from './page.texts.js';
import type { PastedText } from './pasted.text.js';

/** One code or page text explained, in both languages; also the form of `--json`. */
export interface Explanation {
  /** Absent for a page that shows no number. */
  errcode?: number;
  /** Whether the catalogue has it. */
  known: boolean;
  /** WeChat's own words. */
  text?: string;
  class?: WechatErrorClass;
  /** Whether the same call may succeed later. */
  retryable?: boolean;
  /** How often the pasted text has it. */
  times: number;
  background?: LocalizedText;
  meaning: LocalizedText;
  /** Likeliest first. */
  causes: readonly LocalizedText[];
  cure: LocalizedText;
  withModule?: LocalizedText;
  byHand?: readonly LocalizedText[];
}

const RETURN_CODES =
  'https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Global_Return_Code.html';

export function explain({ codes, pages }: Pick<PastedText, 'codes' | 'pages'>): Explanation[] {
  return [...codes.map(({ errcode, times }) => explainCode(errcode, times)), ...pages.map(explainPage)];
}

function explainCode(errcode: number, times: number): Explanation {
  if (errcode === 0) return { errcode, times, ...SUCCESS };
  const entry = describeErrorCode(errcode);
  if (!entry) return { errcode, times, ...UNKNOWN };
  const { errmsg, meaning, causes, cure, retryable } = entry;
  return {
    errcode,
    known: true,
    ...(errmsg !== undefined && { text: errmsg }),
    class: entry.class,
    retryable,
    times,
    meaning,
    causes,
    cure,
    ...adviceFor(errcode),
  };
}

function explainPage(page: PageExplanation): Explanation {
  return { known: true, times: 1, ...page };
}

const SUCCESS = {
  known: true,
  text: 'ok',
  meaning: { zh: '调用成功，不是错误。', en: 'The call succeeded; this is no error.' },
  causes: [],
  cure: { zh: '不用处理。', en: 'Nothing is to be done.' },
};

const UNKNOWN = {
  known: false,
  meaning: {
    zh: '这里的目录没有这个错误码；目录只包含网页授权会遇到的错误码。',
    en: 'This catalogue does not have the code; it has those that web-page sign-in is known to meet.',
  },
  causes: [
    {
      zh: '它来自网页授权以外的接口（cgi-bin、小程序、支付等）。',
      en: 'It comes from a call outside of web-page sign-in (cgi-bin, mini-programs, payment and so on).',
    },
    { zh: '它是微信新增的错误码。', en: 'WeChat has added it since.' },
    { zh: '它不是微信的错误码。', en: 'It is no code of WeChat at all.' },
  ],
  cure: {
    zh: `在微信的全局返回码中查找：${RETURN_CODES} 若网页授权确实返回了它，请反馈给 nestjs-wechat-auth。`,
    en: `Look it up in WeChat's list 全局返回码: ${RETURN_CODES} If web-page sign-in did answer it, please report it to nestjs-wechat-auth.`,
  },
};
