/** Two keys that all instances know; which of them one seals with is another matter. */
export const KEYS = [
  { kid: 'k1', secret: Buffer.alloc(32, 1) },
  { kid: 'k2', secret: Buffer.alloc(32, 2) },
] as const;

/** @returns the setting of an instance, in turn with the one or the other key first. */
export function keysSetting(number: number): string {
  const texts = KEYS.map(({ kid, secret }) => `${kid}:${secret.toString('base64')}`);
  return (number % 2 === 0 ? texts : texts.toReversed()).join(',');
}
