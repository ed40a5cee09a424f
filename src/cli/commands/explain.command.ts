import { type Command, Option } from 'commander';
import { CommandFailure } from '../command.failure.js';
import { findCodes, listText } from '../explain/catalogue.list.js';
import { explain } from '../explain/explanation.js';
import { explanationText } from '../explain/explanation.text.js';
import { type Language, languageOf, LANGUAGES } from '../explain/language.js';
import { readPastedText } from '../explain/pasted.text.js';
import type { Shell } from '../shell.js';

interface ExplainOptions {
  lang?: Language;
  list: boolean;
  json: boolean;
}

/** More than anybody pastes, and little enough to be read at once. */
const MAX_INPUT_CHARS = 4 * 1024 * 1024;

const HELP = `
The text may be a code, an answer of WeChat, a log line, an error of this module or what a page of WeChat says; every
code in it is explained. Tokens, codes and secrets in it are never printed. "-", or a pipe and no text, reads stdin.

Examples:
  $ npx nestjs-wechat-auth explain 48001
  $ npx nestjs-wechat-auth explain '{"errcode":40163,"errmsg":"code been used, rid: 65c17d8c-5cf05990-781aabe9"}'
  $ npx nestjs-wechat-auth explain redirect_uri 参数错误
  $ grep errcode app.log | npx nestjs-wechat-auth explain --json
  $ npx nestjs-wechat-auth explain --list token

Exit codes: 0 everything is explained, 1 no code was found or one is unknown, 2 wrong usage.`;

export function addExplain(program: Command, shell: Shell, endWith: (exitCode: number) => void): void {
  const command = program
    .command('explain')
    .description("explain WeChat's error codes: meaning, causes, what to do; in Chinese and English")
    .argument('[text...]', 'a code, or any text with codes in it')
    .addOption(
      new Option('--lang <language>', "default: the terminal's language; both if it has none").choices(
        LANGUAGES,
      ),
    )
    .option('--list', 'list the codes that are known, those alone that fit the text if there is one', false)
    .option('--json', 'print one JSON document, with both languages', false)
    .addHelpText('after', HELP)
    // A pasted line may begin with a hyphen.
    .allowUnknownOption();
  command.action(async (words: string[], options: ExplainOptions) => {
    const unknown = unknownOption(words);
    if (unknown !== undefined) command.error(`error: unknown option '${unknown}'`, { exitCode: 2 });
    const isDone = options.list
      ? list(words.join(' '), options, shell)
      : explainText(await input(words, shell), options, shell);
    if (!isDone) endWith(1);
  });
}

/** Among words of a pasted line it is a part of that; beside bare codes it is meant for this command. */
function unknownOption(words: readonly string[]): string | undefined {
  const options = words.filter((word) => /^--?[a-z][\w-]*$/i.test(word));
  const isPasted = words.some((word) => !options.includes(word) && !/^[-\d\s,]+$/.test(word));
  return isPasted ? undefined : options[0];
}

/** @returns whether anything fitted. */
function list(filter: string, { lang, json }: ExplainOptions, { env, columns, write }: Shell): boolean {
  const codes = findCodes(filter);
  if (json) {
    write(`${JSON.stringify({ codes }, undefined, 2)}\n`);
  } else if (codes.length === 0) {
    throw new CommandFailure({
      problem: 'No known code fits these words.',
      cure: 'Leave them out to see all codes.',
    });
  } else {
    write(`${listText(codes, lang ?? languageOf(env), columns)}\n`);
  }
  return codes.length > 0;
}

/** @returns whether there was something to explain, and all of it is known. */
function explainText(text: string, { lang, json }: ExplainOptions, { env, columns, write }: Shell): boolean {
  const pasted = readPastedText(text);
  const explanations = explain(pasted);
  if (json) {
    write(`${JSON.stringify({ explanations, requestIds: pasted.requestIds }, undefined, 2)}\n`);
  } else if (explanations.length === 0) {
    throw new CommandFailure(nothingFound(pasted.hasTokens));
  } else {
    write(`${explanationText(explanations, pasted, lang ?? languageOf(env), columns)}\n`);
  }
  return explanations.length > 0 && explanations.every(({ known }) => known);
}

function nothingFound(hasTokens: boolean): { problem: string; cure: string } {
  if (hasTokens) {
    return {
      problem:
        '没有错误码：这是一次成功的返回，含有 token。There is no error code in it: this is an answer of success, with tokens.',
      cure: "不要粘贴到别处；若已泄露，请让用户重新授权。Paste it nowhere; if it has leaked, have the user authorize again. It may now be in your shell's history.",
    };
  }
  return {
    problem: '没有找到错误码。No error code was found in it.',
    cure: '传入错误码，例如 explain 48001；explain --list 列出全部。Pass the code, as in: explain 48001; explain --list shows all.',
  };
}

async function input(words: readonly string[], { stdin, isInteractive }: Shell): Promise<string> {
  const text = words.join(' ');
  if (text !== '-' && text.trim() !== '') return text;
  if (text === '' && isInteractive) {
    throw new CommandFailure(
      {
        problem: 'There is nothing to explain.',
        cure: 'Pass a code or a text, as in: explain 48001; or use explain --list.',
      },
      { isWrongUsage: true },
    );
  }
  const decoder = new TextDecoder();
  let read = '';
  for await (const chunk of stdin) {
    read += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    if (read.length > MAX_INPUT_CHARS) {
      throw new CommandFailure({
        problem: 'That is too much to read at once.',
        cure: 'Pick out what matters, as in: grep errcode app.log | nestjs-wechat-auth explain',
      });
    }
  }
  return read;
}
