import { CommandFailure } from '../command.failure.js';

/** Where the database is, checked as far as that goes without asking it. */
export interface DatabaseAddress {
  /** As it was given, password and all. */
  url: string;
  /** For people: `the database shop at localhost:5432`. Holds no password. */
  place: string;
}

const EXAMPLE = 'postgres://user:password@localhost:5432/shop';
const ENCODE =
  'In user name and password write @ as %40, : as %3A, / as %2F, # as %23, ? as %3F and % as %25.';

/** What else is often there. Any other text before the colon may be part of a secret, and is not repeated. */
const OTHER_SCHEMES = /^(mysql|jdbc|sqlite|mongodb|https?):/i;

/** Some readers of .env files replace variables. */
const NOT_REPLACED = 'Write it out: ${...} in it is not replaced here.';

/** @throws {CommandFailure} if DATABASE_URL is missing, or is no PostgreSQL address. */
export function readDatabaseAddress(env: NodeJS.ProcessEnv): DatabaseAddress {
  const url = env.DATABASE_URL?.trim();
  if (!url) {
    throw new CommandFailure({
      problem: 'DATABASE_URL is not set.',
      cure: `Set it to the database of the application, for example DATABASE_URL=${EXAMPLE}, in the environment or in the .env file of the folder that you run this in.`,
    });
  }
  if (!/^postgres(ql)?:\/\//i.test(url)) {
    const [, other] = OTHER_SCHEMES.exec(url) ?? [];
    throw new CommandFailure({
      problem:
        other === undefined
          ? 'DATABASE_URL is not an address of PostgreSQL.'
          : `DATABASE_URL begins with ${other}:, which is not PostgreSQL.`,
      cure: `Write it like ${EXAMPLE}.`,
    });
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (
    !parsed ||
    isCutInPassword(parsed) ||
    !areDecodable(parsed.username, parsed.password, parsed.pathname)
  ) {
    throw new CommandFailure({
      problem: 'DATABASE_URL cannot be read as an address.',
      cure: `Write it like ${EXAMPLE}. ${url.includes('${') ? NOT_REPLACED : ENCODE}`,
    });
  }
  return { url, place: placeOf(parsed) };
}

function placeOf(url: URL): string {
  const name = decodeURIComponent(url.pathname.slice(1));
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname);
  const database = name === '' ? 'the default database' : `the database ${name}`;
  return host === '' || host.startsWith('/')
    ? `${database} on this machine's socket`
    : `${database} at ${host}:${url.port || url.searchParams.get('port') || '5432'}`;
}

/**
 * A #, / or ? in the password ends the host early. What is left may still look like an address, with a part of the
 * password for its host, port or database.
 */
function isCutInPassword({ hash, pathname, search }: URL): boolean {
  return hash !== '' || `${pathname}${search}`.includes('@') || /[/:]/.test(pathname.slice(1));
}

function areDecodable(...parts: string[]): boolean {
  try {
    parts.forEach(decodeURIComponent);
    return true;
  } catch {
    return false;
  }
}
