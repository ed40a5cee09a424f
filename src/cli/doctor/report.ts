import { wrap } from '../text.layout.js';
import { type Check, CHECKS, type Finding } from './finding.js';

const TITLES: Record<Check, string> = {
  versions: 'Versions',
  environment: 'Environment',
  keys: 'Keys',
  'public-url': 'Public URL',
  database: 'Database',
  clock: 'Clock',
  wechat: 'WeChat',
};

const STATUS_COLUMNS = 11;
const INDENT = ' '.repeat(STATUS_COLUMNS);

/** The findings for people: grouped, the cure below what it cures, a count at the end. */
export function reportText(findings: readonly Finding[], columns: number): string {
  const groups = CHECKS.map((check) => ({
    check,
    found: findings.filter((finding) => finding.check === check),
  }))
    .filter(({ found }) => found.length > 0)
    .map(({ check, found }) =>
      [TITLES[check], ...found.map((finding) => findingText(finding, columns))].join('\n'),
    );
  return [...groups, summary(findings)].join('\n\n');
}

export function reportJson(findings: readonly Finding[]): string {
  return JSON.stringify({ ok: isFine(findings), findings }, undefined, 2);
}

export function isFine(findings: readonly Finding[]): boolean {
  return !findings.some(({ status }) => status === 'error');
}

function findingText({ status, message, cure }: Finding, columns: number): string {
  const label = `  ${status}`.padEnd(STATUS_COLUMNS);
  const lines = [wrap(message, columns, INDENT, label)];
  if (cure !== undefined) lines.push(wrap(cure, columns, `${INDENT}  `, `${INDENT}→ `));
  return lines.join('\n');
}

function summary(findings: readonly Finding[]): string {
  const count = (status: Finding['status'], name: string): string => {
    const found = findings.filter((finding) => finding.status === status).length;
    return `${found === 0 ? 'no' : found} ${name}${found === 1 ? '' : 's'}`;
  };
  return `${isFine(findings) ? 'Fine' : 'Not fine'}: ${count('error', 'error')}, ${count('warning', 'warning')}.`;
}
