import { WechatConfigurationError } from '../common/errors.js';
import { checkOptionNames } from './option-names.check.js';
import { isRecord, kindOf, Problems } from './settings.reader.js';

/** What `forRootAsync()` takes besides the factory. */
const ASYNC_NAMES = ['imports', 'inject', 'useFactory', 'dataSource'];

/**
 * @param options those of `forRoot()` or `forRootAsync()`.
 * @returns the name of the data source that is meant; undefined for the default one.
 * @throws {WechatConfigurationError} at once, since without it there is no module that could be checked at start.
 */
export function dataSourceNameOf(options: unknown): string | undefined {
  const name = isRecord(options) ? options['dataSource'] : undefined;
  if (name === undefined || (typeof name === 'string' && name !== '')) return name;
  throw refusal(
    `dataSource is not the name of a TypeORM data source: the option holds ${kindOf(name)}.`,
    'Leave it out for the default data source.',
  );
}

/** @throws {WechatConfigurationError} at once, since Nest fails on what is no list before anything is checked. */
export function requireList(name: 'imports' | 'inject', value: unknown): void {
  if (value === undefined || Array.isArray(value)) return;
  throw refusal(
    `${name} of forRootAsync() is not a list but ${kindOf(value)}.`,
    `Write it like ${name}: [...], or leave it out.`,
  );
}

/**
 * Finds what stands beside the factory of `forRootAsync()` and would be left out in silence.
 *
 * @param optionNames those of the module's own options, which the factory returns.
 */
export function checkAsyncOptions(
  options: Readonly<Record<string, unknown>>,
  optionNames: readonly string[],
): Problems {
  const problems = new Problems();
  for (const name of optionNames) {
    if (options[name] === undefined) continue;
    problems.add(`${name} stands beside useFactory, and without effect.`, 'Return it from useFactory.');
  }
  const others = Object.entries(options).filter(([name]) => !optionNames.includes(name));
  checkOptionNames(undefined, Object.fromEntries(others), ASYNC_NAMES, problems);
  return problems;
}

function refusal(problem: string, cure: string): WechatConfigurationError {
  return new WechatConfigurationError([{ problem, cure }]);
}
