import type { LocalizedText } from '../../protocol/error-codes.js';
import { wrap } from '../text.layout.js';
import type { Explanation } from './explanation.js';
import type { Language } from './language.js';
import type { PastedText } from './pasted.text.js';

type OneLanguage = Exclude<Language, 'both'>;

const HEADINGS = {
  meaning: { zh: '发生了什么', en: 'What happened' },
  background: { zh: '背景', en: 'Good to know' },
  causes: { zh: '原因（最可能的在前）', en: 'Causes, likeliest first' },
  cause: { zh: '原因', en: 'Cause' },
  cure: { zh: '怎么办', en: 'What to do' },
  withModule: { zh: '使用 nestjs-wechat-auth', en: 'With nestjs-wechat-auth' },
  byHand: { zh: '自己实现', en: 'By hand' },
  requestId: { zh: '请求编号', en: 'Request id' },
  warning: { zh: '注意', en: 'Take care' },
} satisfies Record<string, LocalizedText>;

const ASK_SUPPORT: LocalizedText = {
  zh: '向微信提问时请附上。',
  en: "Give it to WeChat's support when you ask there.",
};

const SECRETS: LocalizedText = {
  zh: '粘贴的内容含有 token、code 或密钥。这里没有显示它们，但它们可能已留在终端的历史记录里；若仍有效，请更换。',
  en: "What you pasted holds a token, a code or a secret. It is not repeated here, but it may now be in your shell's history; replace it if it is still good.",
};

const OTHER_LANGUAGE: Record<OneLanguage, string> = {
  zh: 'English: --lang en',
  en: '中文：--lang zh',
};

const SEPARATOR = `\n\n${'-'.repeat(40)}\n\n`;

/** All that is known about a pasted text, for people. */
export function explanationText(
  explanations: readonly Explanation[],
  { requestIds, hasSecrets }: Pick<PastedText, 'requestIds' | 'hasSecrets'>,
  language: Language,
  columns: number,
): string {
  const languages: readonly OneLanguage[] = language === 'both' ? ['zh', 'en'] : [language];
  const texts = languages.map((one) =>
    [
      ...explanations.flatMap((explanation) => [title(explanation), ...sections(explanation, one, columns)]),
      ...requestIdSection(requestIds, one, columns),
      ...(hasSecrets ? [section(HEADINGS.warning[one], [SECRETS[one]], columns)] : []),
    ].join('\n\n'),
  );
  return language === 'both' ? texts.join(SEPARATOR) : `${texts.join('')}\n\n${OTHER_LANGUAGE[language]}`;
}

function title({ errcode, text, times }: Explanation): string {
  const repeated = times > 1 ? ` (× ${times})` : '';
  return [errcode, text].filter((part) => part !== undefined).join('  ') + repeated;
}

function sections(explanation: Explanation, language: OneLanguage, columns: number): string[] {
  const { meaning, background, causes, cure, withModule, byHand } = explanation;
  const parts: [LocalizedText, readonly LocalizedText[]][] = [
    [HEADINGS.meaning, [meaning]],
    [HEADINGS.background, background ? [background] : []],
    [causes.length > 1 ? HEADINGS.causes : HEADINGS.cause, causes],
    [HEADINGS.cure, [cure]],
    [HEADINGS.withModule, withModule ? [withModule] : []],
    [HEADINGS.byHand, byHand ?? []],
  ];
  return parts
    .filter(([, texts]) => texts.length > 0)
    .map(([heading, texts]) =>
      section(
        heading[language],
        texts.map((text) => text[language]),
        columns,
      ),
    );
}

/** A heading and one paragraph, or a numbered list where there are several. */
function section(heading: string, texts: readonly string[], columns: number): string {
  const [only, second] = texts;
  if (only !== undefined && second === undefined) return `${heading}\n${wrap(only, columns, '  ')}`;
  return [heading, ...texts.map((text, index) => wrap(text, columns, '     ', `  ${index + 1}. `))].join(
    '\n',
  );
}

function requestIdSection(ids: readonly string[], language: OneLanguage, columns: number): string[] {
  if (ids.length === 0) return [];
  const lines = ids.map((id) => `  ${id}${timeOf(id)}`);
  return [[HEADINGS.requestId[language], ...lines, wrap(ASK_SUPPORT[language], columns, '  ')].join('\n')];
}

/** A `rid` begins with the second in which WeChat answered, in hexadecimal. */
function timeOf(id: string): string {
  const [, hex = ''] = /^([0-9a-f]{8})-[0-9a-f]{8}-[0-9a-f]{8}$/i.exec(id) ?? [];
  if (hex === '') return '';
  return `  (${new Date(Number.parseInt(hex, 16) * 1_000).toISOString().replace('.000Z', 'Z')})`;
}
