import { type Command, InvalidArgumentError } from 'commander';

/** What commands ask about the database besides `DATABASE_URL`. */
export interface DatabaseOptions {
  schema?: string;
  migrationsTable: string;
}

export function addDatabaseOptions(command: Command): Command {
  return command
    .option('--schema <name>', "the option schema of the host's TypeORM data source", bareName)
    .option(
      '--migrations-table <name>',
      "the option migrationsTableName of the host's TypeORM data source",
      bareName,
      'migrations',
    );
}

/** TypeORM takes a dot for the end of the schema's name, and does not expect a quotation mark. */
function bareName(value: string): string {
  if (value !== '' && !/["'.\p{Cc}]/u.test(value)) return value;
  throw new InvalidArgumentError('Write the bare name, without quotation marks and without a dot.');
}
