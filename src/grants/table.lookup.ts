import type { DataSource, EntityMetadata } from 'typeorm';

/** What the module does with every table of its own. */
const NEEDED_RIGHTS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];

/** What there is of a table of ours in the database, and what the data source's role may not do with it. */
export interface FoundTable {
  /** Null if there is no such table where it is looked for. */
  path: string | null;
  columns: string[];
  indexes: string[];
  /** The schema that it is in, if the role may not use that, as statements name it. */
  closedSchema: string | null;
  /** Those of {@link NEEDED_RIGHTS} that the role lacks. */
  lackingRights: string[];
  /** The role, as statements name it. */
  role: string;
}

/**
 * Looks in the catalogue, which every role may read, and not by `to_regclass`: that finds nothing in a schema which the
 * role may not use, as if the table were not there.
 */
export async function findTable(
  dataSource: DataSource,
  { schema, tableName }: EntityMetadata,
): Promise<FoundTable> {
  const [row] = await dataSource.query<[FoundTable]>(
    `SELECT CASE WHEN found.id IS NOT NULL THEN format('%I.%I', found.schema, found.name) END AS path,
       ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = found.id AND attnum > 0 AND NOT attisdropped) AS columns,
       ARRAY(SELECT relname::text FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indrelid = found.id) AS indexes,
       CASE WHEN NOT found.is_open THEN quote_ident(found.schema) END AS "closedSchema",
       ARRAY(
         SELECT needed FROM unnest($3::text[]) WITH ORDINALITY AS rights(needed, position) WHERE CASE needed
           -- The one that cannot be given by columns.
           WHEN 'DELETE' THEN NOT has_table_privilege(found.id, needed)
           ELSE EXISTS (
             SELECT FROM pg_attribute WHERE attrelid = found.id AND attnum > 0 AND NOT attisdropped
               AND NOT has_column_privilege(found.id, attnum, needed)
           ) END
         ORDER BY position
       ) AS "lackingRights",
       quote_ident(current_user) AS role
     FROM (SELECT) AS one LEFT JOIN LATERAL (
       SELECT pg_class.oid AS id, relname AS name, nspname AS schema, is_open
       FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace,
         LATERAL has_schema_privilege(pg_namespace.oid, 'USAGE') AS is_open
       WHERE relname = $1 AND CASE
         WHEN $2::text IS NOT NULL THEN nspname = $2
         WHEN is_open THEN nspname = ANY (current_schemas(false))
         ELSE quote_ident(nspname) = ANY (
           regexp_split_to_array(replace(current_setting('search_path'), '"$user"', quote_ident(current_user)), '\\s*,\\s*')
         )
       END
       ORDER BY is_open DESC, array_position(current_schemas(false), nspname)
       LIMIT 1
     ) AS found ON true`,
    [tableName, schema ?? null, NEEDED_RIGHTS],
  );
  return row;
}
