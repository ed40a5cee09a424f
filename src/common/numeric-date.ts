/**
 * An instant as a JWT claim: seconds since 1970, with a fraction.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-2
 */
export function toNumericDate(instant: Date): number {
  return instant.getTime() / 1000;
}

/** The inverse of {@link toNumericDate}, exact to the millisecond. */
export function fromNumericDate(claim: unknown): Date {
  return new Date(Math.round((claim as number) * 1000));
}
