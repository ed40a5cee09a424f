import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const TYPESCRIPT = ['**/*.ts', '**/*.mts'];
const TESTS = ['test/**/*.ts', 'bench/**/*.ts', 'simulation/**/*.ts'];

const noTopLevelAwait = {
  message:
    'No top-level await in what a host loads: applications in CommonJS load this package by require().',
};

export default defineConfig(
  { ignores: ['**/dist/', 'coverage/', '.demo/', 'compat/nest11/copy/', 'test/package/nest*/'] },

  {
    files: TYPESCRIPT,
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      // Knows decorators: what Nest injects by its class is left alone, since its import must stay a value.
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // Nest declares the options of its factories as classes, and everybody passes object literals.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // A Nest module is a class with nothing but a decorator.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-empty-function': ['error', { allow: ['decoratedFunctions'] }],
      // `${port}` is as clear as `${String(port)}`.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // () => response.end() is fine where nothing is expected back.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A constructor that only narrows the parameters of its super class is one with a purpose.
      '@typescript-eslint/no-useless-constructor': 'off',
      // `for (;;)` and `while (true)` loops with an exit of their own.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // const { secret, ...rest } = account, to leave something out.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
    },
  },

  {
    files: ['src/**/*.ts', 'migrations/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'AwaitExpression:not(:function *)', ...noTopLevelAwait },
        { selector: 'ForOfStatement[await=true]:not(:function *)', ...noTopLevelAwait },
        { selector: 'VariableDeclaration[kind="await using"]:not(:function *)', ...noTopLevelAwait },
      ],
    },
  },

  {
    // A library says what it has to say through errors, events and Nest's logger; only the commands print.
    files: ['src/**/*.ts'],
    ignores: ['src/cli/**'],
    rules: { 'no-console': 'error' },
  },

  {
    files: TESTS,
    rules: {
      // expect(stub.method).toHaveBeenCalled() is what it is made for.
      '@typescript-eslint/unbound-method': 'off',
      // A test that finds nothing where it expects something may fail right there.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Stand-ins for asynchronous interfaces often have nothing to wait for, or nothing to do.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },

  {
    // Scripts and configuration, which no compiler checks.
    files: ['**/*.mjs', '**/*.cjs'],
    extends: [tseslint.configs.strict],
    languageOptions: {
      globals: Object.fromEntries(
        [
          ...[
            'process',
            'console',
            'Buffer',
            'URL',
            'URLSearchParams',
            'AbortController',
            'AbortSignal',
            'fetch',
          ],
          ...['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'globalThis'],
          ...['structuredClone', 'TextEncoder', 'TextDecoder'],
        ].map((name) => [name, 'readonly']),
      ),
    },
    rules: {
      eqeqeq: 'error',
      'no-undef': 'error',
      'no-unreachable': 'error',
      'no-dupe-keys': 'error',
      'no-const-assign': 'error',
      'no-fallthrough': 'error',
      'no-self-assign': 'error',
      'no-unsafe-finally': 'error',
      'prefer-const': 'error',
    },
  },
  { files: ['**/*.cjs'], languageOptions: { globals: { module: 'writable', require: 'readonly' } } },
);
