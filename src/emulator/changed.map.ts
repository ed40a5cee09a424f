/** A map that knows which of its keys were set or deleted. What is altered in place has to be set once more. */
export class ChangedMap<Value> extends Map<string, Value> {
  readonly changed = new Set<string>();

  override set(key: string, value: Value): this {
    this.changed.add(key);
    return super.set(key, value);
  }

  override delete(key: string): boolean {
    this.changed.add(key);
    return super.delete(key);
  }

  /** The values of the changed keys, in the order they changed. */
  changedValues(): Value[] {
    return [...this.changed].flatMap((key) => this.get(key) ?? []);
  }

  /** The changed keys that are there no more. */
  goneKeys(): string[] {
    return [...this.changed].filter((key) => !this.has(key));
  }
}
