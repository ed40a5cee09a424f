export const LANGUAGES = ['zh', 'en', 'both'] as const;

export type Language = (typeof LANGUAGES)[number];

/** The language of the terminal; both where it has none, as on servers and in containers. */
export function languageOf(env: NodeJS.ProcessEnv): Language {
  const locale =
    [env.LC_ALL, env.LC_MESSAGES, env.LANG].find((value) => value !== undefined && value !== '') ?? '';
  if (/^zh/i.test(locale)) return 'zh';
  return /^(C|POSIX)?(\.|$)/i.test(locale) ? 'both' : 'en';
}
