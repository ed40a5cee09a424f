import type { WechatEmulatorVariants } from '../../../src/emulator/index.js';
import { table, type Fact } from './fidelity.table.js';
import { ANSWER_VARIANTS } from './variants.answers.js';
import { PAGE_VARIANTS } from './variants.pages.js';
import { TOKEN_VARIANTS } from './variants.tokens.js';

/** An option that is left out here does not compile. */
const VARIANTS: Readonly<Record<keyof WechatEmulatorVariants, readonly Fact[]>> = {
  ...PAGE_VARIANTS,
  ...TOKEN_VARIANTS,
  ...ANSWER_VARIANTS,
};

table(
  'where what is known of WeChat disagrees',
  Object.entries(VARIANTS).flatMap(([option, facts]) =>
    facts.map(([confidence, sentence, check]): Fact => [confidence, `${option} ${sentence}`, check]),
  ),
);
