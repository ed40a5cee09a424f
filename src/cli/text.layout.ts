const CLOSING = '，。；：？！、）”》」…';
const OPENING = '（“《「';
/** What a line may be broken between: words, and single Chinese characters with the signs that stick to them. */
const UNIT = new RegExp(
  [
    `[${OPENING}([]*\\p{Script=Han}[${CLOSING})\\].,;:]*`,
    `[${OPENING}]*[^\\s\\p{Script=Han}${OPENING}${CLOSING}]+[${CLOSING}]*`,
    '\\s+',
    `[${OPENING}${CLOSING}]+`,
  ].join('|'),
  'gu',
);
const WIDE =
  /[“”…\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;

/** How many columns a terminal needs for it: Chinese characters and full-width signs take two each. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += WIDE.test(character) ? 2 : 1;
  return columns;
}

/**
 * Breaks a paragraph into lines. A word that is longer than a line stays whole, so that addresses can be copied.
 *
 * @param firstIndent stands before the first line, for example `  1. `; default: as before the others.
 */
export function wrap(text: string, columns: number, indent = '', firstIndent = indent): string {
  const lines: string[] = [];
  let line = firstIndent;
  let isEmpty = true;
  for (const [unit] of text.matchAll(UNIT)) {
    const isBlank = unit.trim() === '';
    if (!isEmpty && !isBlank && columnsOf(line) + columnsOf(unit) > columns) {
      lines.push(line.trimEnd());
      line = indent;
      isEmpty = true;
    }
    if (isEmpty && isBlank) continue;
    line += isBlank ? ' ' : unit;
    isEmpty = false;
  }
  return [...lines, line.trimEnd()].join('\n');
}
