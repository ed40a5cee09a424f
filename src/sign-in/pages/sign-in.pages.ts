import type { WechatScope } from '../../common/wechat-user.js';
import type { Answer } from '../http-exchange.js';
import { type Bilingual, renderPage } from './layout.js';

const RETRY: Bilingual = { zh: '重新登录', en: 'Sign in again' };
const CONTINUE: Bilingual = { zh: '继续', en: 'Continue' };
const START_PAGE: Bilingual = { zh: '回到首页', en: 'Start page' };

/** Before WeChat's consent screen: what for, and one button. */
export function consentPage(continueUrl: string, startUrl: string, consentText: string | undefined): Answer {
  return renderPage({
    status: 200,
    tone: 'ask',
    title: { zh: '需要你的头像和昵称', en: 'Your avatar and nickname are needed' },
    text: {
      zh: `${profileReason(consentText)}点击继续后，微信会征求你的同意。`,
      en: consentText
        ? 'This page asks for your WeChat avatar and nickname. WeChat will ask for your consent next.'
        : 'This page shows your WeChat avatar and nickname. WeChat will ask for your consent next.',
    },
    button: { ...CONTINUE, url: continueUrl },
    link: { ...START_PAGE, url: startUrl },
  });
}

/** The second try: some web views lose a cookie that is set on a redirect, so this one is set on a page. */
export function continuePage(url: string): Answer {
  return renderPage({
    status: 200,
    tone: 'wait',
    title: { zh: '正在前往微信登录', en: 'On the way to WeChat' },
    text: { zh: '如果没有自动跳转，请点击继续。', en: 'If nothing happens, press Continue.' },
    button: { ...CONTINUE, url },
    script: 'follow-button',
  });
}

/** The other callback of the same sign-in is still at work. */
export function waitPage(): Answer {
  return renderPage({
    status: 200,
    tone: 'wait',
    title: { zh: '正在登录', en: 'Signing you in' },
    text: { zh: '微信回应较慢，请稍候。', en: 'WeChat is slow to answer. One moment.' },
    // Its own address.
    button: { zh: '刷新', en: 'Reload', url: '' },
    script: 'reload',
  });
}

export function tooManyAttemptsPage(retryUrl: string): Answer {
  return renderPage({
    status: 403,
    tone: 'problem',
    title: { zh: '登录未能完成', en: 'Sign-in did not work' },
    text: {
      zh: '多次尝试均未成功，可能是浏览器没有保存 Cookie。请允许 Cookie，关闭此页面后从微信重新打开，或稍后再试。',
      en: 'Several tries failed; the browser may not keep cookies. Allow cookies, close this page and open it again from WeChat, or try later.',
    },
    button: { ...RETRY, url: retryUrl },
  });
}

export function accessDeniedPage(retryUrl: string, startUrl: string): Answer {
  return renderPage({
    status: 403,
    tone: 'problem',
    title: { zh: '你没有同意授权', en: 'You did not give consent' },
    text: {
      zh: '没有授权，就无法打开这个页面。如果改变主意，可以重新登录。',
      en: 'This page cannot open without it. If you change your mind, sign in again.',
    },
    button: { ...RETRY, url: retryUrl },
    link: { ...START_PAGE, url: startUrl },
  });
}

export function invalidTicketPage(startUrl: string): Answer {
  return renderPage({
    status: 400,
    tone: 'problem',
    title: { zh: '登录链接无效', en: 'This sign-in link is not valid' },
    text: {
      zh: '链接不完整或已失效。请回到首页，重新打开需要的页面。',
      en: 'The link is damaged or too old. Go to the start page and open the page you want again.',
    },
    button: { ...START_PAGE, url: startUrl },
  });
}

export function openInWechatPage(address: string): Answer {
  return renderPage({
    status: 403,
    tone: 'ask',
    title: { zh: '请在微信中打开', en: 'Please open this in WeChat' },
    text: {
      zh: '此页面需要微信登录。请复制下面的链接，发送到微信中打开。',
      en: 'This page uses WeChat sign-in. Copy the link below and open it in WeChat.',
    },
    address,
  });
}

export function unavailablePage(retryUrl: string): Answer {
  return renderPage({
    status: 503,
    tone: 'problem',
    title: { zh: '暂时无法登录', en: 'Sign-in is not possible right now' },
    text: {
      zh: '服务暂时没有响应，你的信息没有丢失。请稍后再试。',
      en: 'A service is not answering. Nothing is lost; please try again in a moment.',
    },
    button: { ...RETRY, url: retryUrl },
  });
}

export function misconfiguredPage(retryUrl: string): Answer {
  return renderPage({
    status: 500,
    tone: 'problem',
    title: { zh: '登录设置有误', en: 'Sign-in is not set up correctly' },
    text: {
      zh: '这不是你的问题。请联系网站的维护者，日志中记录了原因。',
      en: 'This is not your fault. Please tell whoever runs this site; the log names the cause.',
    },
    button: { ...RETRY, url: retryUrl },
  });
}

export function rejectedPage(): Answer {
  return renderPage({
    status: 403,
    tone: 'problem',
    title: { zh: '无法登录', en: 'You cannot sign in' },
    text: {
      zh: '此网站没有接受你的登录。如有疑问，请联系网站的维护者。',
      en: 'This site did not accept your sign-in. If you think it should, contact whoever runs it.',
    },
  });
}

export function consentEndedPage(retryUrl: string): Answer {
  return renderPage({
    status: 403,
    tone: 'problem',
    title: { zh: '微信没有提供你的资料', en: 'WeChat did not share your profile' },
    text: {
      zh: '你已同意授权，但微信仍拒绝提供头像和昵称。请稍后再试。',
      en: 'You gave consent, but WeChat still refuses your avatar and nickname. Please try again later.',
    },
    button: { ...RETRY, url: retryUrl },
  });
}

export function misdirectedPage(): Answer {
  return renderPage({
    status: 421,
    tone: 'problem',
    title: { zh: '网址不正确', en: 'Wrong address' },
    text: {
      zh: '此网站不能通过这个域名登录。请使用正式的网址打开。',
      en: 'Sign-in does not work under this host name. Please use the official address.',
    },
  });
}

/**
 * In the place of a protected page, in a browser whose user has signed out: nobody is signed in again without wanting to.
 * Whoever goes on gives the profile as well, where the page needs it, so that is said here.
 */
export function signInAgainPage(
  signInUrl: string,
  goal: WechatScope,
  consentText: string | undefined,
): Answer {
  const needsProfile = goal === 'userinfo';
  return renderPage({
    status: 403,
    tone: 'ask',
    title: { zh: '你已退出登录', en: 'You are signed out' },
    text: {
      zh: `登录后才能打开此页面。${needsProfile ? profileReason(consentText) : ''}`,
      en: `Sign in to open this page.${needsProfile ? ' It uses your WeChat avatar and nickname.' : ''}`,
    },
    button: { zh: '微信登录', en: 'Sign in with WeChat', url: signInUrl },
  });
}

export function signedOutPage(startUrl: string): Answer {
  return renderPage({
    status: 200,
    tone: 'done',
    title: { zh: '已退出登录', en: 'You are signed out' },
    text: { zh: '可以关闭此页面了。', en: 'You may close this page.' },
    button: { ...START_PAGE, url: startUrl },
  });
}

/** What the profile is for, in a sentence. */
function profileReason(consentText: string | undefined): string {
  return asSentence(consentText ?? '此页面需要你的微信头像和昵称');
}

function asSentence(text: string): string {
  return /[。！？.!?]\s*$/.test(text) ? text : `${text}。`;
}
