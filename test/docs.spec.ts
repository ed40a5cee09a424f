import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '..');
const documents = [
  'README.md',
  'README.zh-CN.md',
  ...readdirSync(resolve(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** The TypeScript of a document, one piece per fence. */
function examplesOf(document: string): string[] {
  const text = readFileSync(resolve(root, document), 'utf8');
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);
}

/** What the compiler says of pieces of code that import the package by its name. */
function complaintsOf(pieces: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile(resolve(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: object;
  };
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root);
  const compilerOptions: ts.CompilerOptions = {
    ...options,
    paths: {
      'nestjs-wechat-auth': [resolve(root, 'src/index.ts')],
      'nestjs-wechat-auth/emulator': [resolve(root, 'src/emulator/index.ts')],
      'nestjs-wechat-auth/testing': [resolve(root, 'src/testing/index.ts')],
    },
  };
  const host = ts.createCompilerHost(compilerOptions);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => pieces.has(path) || fileExists(path);
  host.readFile = (path) => pieces.get(path) ?? readFile(path);
  const program = ts.createProgram([...pieces.keys()], compilerOptions, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file, messageText }) =>
        `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
}

describe('the documents', () => {
  it('show TypeScript that compiles against the package', () => {
    const pieces = new Map(
      documents.flatMap((document) =>
        examplesOf(document).map((code, index): [string, string] => [
          resolve(root, 'test', `${document.replace('/', '-')}-${String(index + 1)}.ts`),
          code,
        ]),
      ),
    );
    expect(pieces.size).toBeGreaterThanOrEqual(5);
    expect(complaintsOf(pieces)).toEqual([]);
    // The check itself notices what does not compile.
    const wrong = new Map([
      [resolve(root, 'test/wrong.ts'), "import { NoSuchThing } from 'nestjs-wechat-auth';\nNoSuchThing();\n"],
    ]);
    expect(complaintsOf(wrong).join()).toContain('NoSuchThing');
    // Two runs of the compiler over the whole package.
  }, 120_000);

  it('say the same in both languages, as far as code goes', () => {
    const withoutComments = (code: string): string => code.replace(/\s*\/\/.*$/gm, '');
    expect(examplesOf('README.zh-CN.md').map(withoutComments)).toEqual(
      examplesOf('README.md').map(withoutComments),
    );
  });

  it('link to files that exist', () => {
    for (const document of documents) {
      const text = readFileSync(resolve(root, document), 'utf8');
      for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
        expect(() => readFileSync(resolve(root, document, '..', target))).not.toThrow();
      }
    }
  });
});
