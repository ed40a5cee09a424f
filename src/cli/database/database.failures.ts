import type { WechatConfigurationProblem } from '../../common/errors.js';
import { toOneLine } from '../../protocol/redaction.js';
import { maskSecrets } from '../secrets.js';
import type { DatabaseAddress } from './database.address.js';

/** One kind of failure: what the driver's code or text is, and what to say. */
interface Known {
  when: RegExp;
  problem: (place: string) => string;
  cure: string;
}

const CHECK_ADDRESS = 'Correct host and port in DATABASE_URL.';

/** Tried in this order against the code and the message of an error. */
const KNOWN: readonly Known[] = [
  {
    when: /^(ENOENT|EACCES|EISDIR)/,
    problem: (place) => `A file or a socket of this machine cannot be opened on the way to ${place}.`,
    cure: 'Correct sslrootcert, sslcert, sslkey or the folder of the socket in DATABASE_URL, and see that this user may read them. Behind a socket, PostgreSQL has to be running.',
  },
  {
    when: /^ECONNREFUSED/,
    problem: (place) => `Nobody answers for ${place}: the connection was refused.`,
    cure: `Start PostgreSQL, or correct host and port in DATABASE_URL. In a container, localhost is the container itself.`,
  },
  {
    when: /^(ENOTFOUND|EAI_AGAIN)/,
    problem: (place) => `The host of ${place} is unknown.`,
    cure: `${CHECK_ADDRESS} A name inside a container network is known only inside.`,
  },
  {
    when: /^(55P03|40P01)/,
    problem: (place) => `Somebody else is using what has to be changed in ${place}.`,
    cure: "Try again. What is busy there: SELECT * FROM pg_stat_activity WHERE state <> 'idle';",
  },
  {
    when: /^57014/,
    problem: (place) => `The server cut a statement short, in ${place}.`,
    cure: 'Raise statement_timeout for the role of DATABASE_URL, or try again when less is going on.',
  },
  {
    when: /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)|timeout|timed out/i,
    problem: (place) => `No answer in time from ${place}.`,
    cure: `${CHECK_ADDRESS} See that a firewall lets this machine through, and that it is PostgreSQL which listens there.`,
  },
  {
    when: /^28000 .*(no encryption|pg_hba)/,
    problem: (place) => `The server does not let this machine in this way into ${place}.`,
    cure: 'If it wants TLS, add ?sslmode=verify-full to DATABASE_URL; else have this machine allowed in its pg_hba.conf.',
  },
  {
    when: /^28|password must be a string/,
    problem: (place) => `The user name or the password is wrong for ${place}.`,
    cure: 'Correct them in DATABASE_URL. Special characters are written as %40 for @, %3A for :, %2F for /, %23 for #.',
  },
  {
    when: /^3D000/,
    problem: (place) => `The server does not have ${place}.`,
    cure: 'Correct the name in DATABASE_URL, or create the database (createdb).',
  },
  {
    when: /^53300|remaining connection slots/,
    problem: (place) => `Too many connections are open to ${place}.`,
    cure: "Close some, or raise the server's max_connections, then try again.",
  },
  {
    when: /^57P0/,
    problem: (place) => `The server of ${place} is starting or stopping.`,
    cure: 'Try again in a moment.',
  },
  {
    when: /does not support SSL/,
    problem: (place) => `DATABASE_URL asks for TLS, which the server of ${place} does not offer.`,
    cure: 'Take sslmode and ssl out of DATABASE_URL, or switch TLS on at the server.',
  },
  {
    when: /CERT|self.signed|certificate/i,
    problem: (place) => `The TLS certificate of the server of ${place} is not trusted.`,
    cure: "Give its authority's certificate with ?sslmode=verify-full&sslrootcert=/path/ca.pem in DATABASE_URL.",
  },
  {
    when: /^ECONNRESET|Connection terminated|socket hang up/,
    problem: (place) => `The connection for ${place} broke off.`,
    cure: `See that it is PostgreSQL which listens there. ${CHECK_ADDRESS}`,
  },
  {
    when: /^DriverPackageNotInstalled/,
    problem: () => 'The package pg is not installed.',
    cure: 'In the folder of the application run: npm install pg',
  },
  {
    when: /^25006/,
    problem: (place) => `Nothing can be written to ${place}.`,
    cure: 'Let DATABASE_URL name the primary server, not a replica, and a role that may write.',
  },
  {
    when: /^42501/,
    problem: (place) => `The role of DATABASE_URL lacks a permission in ${place}.`,
    cure: 'As the owner run GRANT USAGE, CREATE ON SCHEMA the_schema TO the_role; or use a role that owns the schema.',
  },
];

/**
 * @returns what is wrong with the database and what to do, in words; without the address's password.
 * @throws what is no failure of the database or the way to it, as it came.
 */
export function describeDatabaseFailure(
  error: unknown,
  { url, place }: DatabaseAddress,
): WechatConfigurationProblem {
  const text = textOf(error);
  const known = KNOWN.find(({ when }) => when.test(text));
  if (known) return { problem: known.problem(place), cure: known.cure };
  if (codeOf(error) === undefined) throw error;
  return {
    problem: `PostgreSQL refused, for ${place}: ${toOneLine(maskSecrets(text, { DATABASE_URL: url }))}.`,
    cure: "The server's log tells more.",
  };
}

/** The SQLSTATE of an error of the database's, for example `42P07`. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** `28P01 password authentication failed`: code, or else the error's name, then the message. */
function textOf(error: unknown): string {
  const { name = '', message = '' } = (error ?? {}) as Partial<Error>;
  // An AggregateError, which Node.js throws where localhost has two addresses, has a code but no message.
  return `${codeOf(error) ?? name} ${message}`.trim();
}

function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
