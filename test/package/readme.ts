import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const readme = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8');

/** The README's example application: the module that `src/app.module.ts` shall hold. */
export function usageExample(): string {
  return fence('ts');
}

/** The packages that the README says to install, this one by its file. */
export function packagesToInstall(): string[] {
  const [, names = ''] = /^npm install (.+)$/m.exec(fence('sh')) ?? [];
  return names.split(' ').map((name) => /(?:^|\/)([a-z-]+)-[\d.]+\.tgz$/.exec(name)?.[1] ?? name);
}

/** The first piece of code in this language below the heading "Use it". */
function fence(language: string): string {
  const section = readme.slice(readme.indexOf('\n## Use it\n'));
  const [, code] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(section) ?? [];
  if (code === undefined) throw new Error(`README.md has no \`\`\`${language} below "Use it"`);
  return code;
}
