import path from 'node:path';

const FOLDER = path.join('test', 'emulator', 'fidelity') + path.sep;

/** Prints the table of facts about WeChat: Jest's own reporter names tests only where one file is run alone. */
export default class FidelityReporter {
  onRunComplete(_contexts, { testResults }) {
    const rows = testResults
      .filter(({ testFilePath }) => testFilePath.includes(FOLDER))
      .flatMap((file) => file.testResults)
      .filter(({ status }) => status === 'passed' || status === 'failed');
    if (rows.length === 0) return;
    const lines = [];
    let theme = '';
    for (const { ancestorTitles, status, title } of rows) {
      if (theme !== ancestorTitles[0]) lines.push((theme = ancestorTitles[0]));
      lines.push(`  ${status === 'passed' ? '✓' : '✕'} ${title}`);
    }
    const failed = rows.filter(({ status }) => status === 'failed').length;
    const outcome = failed === 0 ? 'all of them kept' : `${failed} of them not kept`;
    console.error(
      [
        '',
        'Facts about WeChat, and whether the emulator keeps to them:',
        ...lines,
        `${rows.length} facts, ${outcome}.`,
      ].join('\n'),
    );
  }
}
