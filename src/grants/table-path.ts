import type { EntityMetadata } from 'typeorm';

/** @returns the table as statements of our own name it: in the schema that the host's data source names, quoted. */
export function quotedTablePath({ schema, tableName }: EntityMetadata): string {
  return [schema, tableName]
    .filter((name) => name !== undefined)
    .map((name) => `"${name.replaceAll('"', '""')}"`)
    .join('.');
}
