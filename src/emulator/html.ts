/** HTML that needs no escaping any more. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = string | Html | readonly Html[];

/** A template whose strings are escaped, so that a nickname cannot become markup. */
export function html(literals: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(String.raw({ raw: literals }, ...values.map(render)));
}

function render(value: Value): string {
  if (typeof value === 'string') {
    return escapeHtml(value);
  }
  return value instanceof Html ? value.text : value.map(({ text }) => text).join('');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${String(character.charCodeAt(0))};`);
}
