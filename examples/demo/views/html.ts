/** HTML that needs no escaping any more. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = string | number | undefined | Html | readonly Html[];

/** A template that escapes what is put into it, so that a nickname cannot become markup. */
export function html(literals: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(String.raw({ raw: literals }, ...values.map(render)));
}

/** A text in Chinese with the English under or beside it; the style decides which. */
export function bilingual(zh: string, en: string): Html {
  return html`${zh} <span class="en" lang="en">${en}</span>`;
}

function render(value: Value): string {
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(({ text }) => text).join('');
  return String(value ?? '').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
