import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { describeDatabaseFailure } from '../../src/cli/database/database.failures.js';
import { runCommand } from './command.runner.js';

describe('migrate, with a DATABASE_URL that leads nowhere, names the cause and the cure:', () => {
  it.each<[string, string | undefined, string[]]>([
    ['no DATABASE_URL', undefined, ['DATABASE_URL is not set', '.env']],
    ['an empty one', '  ', ['DATABASE_URL is not set']],
    ['another database', 'mysql://root:hunter2hunter2@db/shop', ['begins with mysql:', 'postgres://']],
    ['no address', 'db.example.com', ['not an address', 'postgres://']],
    ['no slashes', 'postgres:shop:hunter2hunter2@127.0.0.1/shop', ['not an address', 'postgres://']],
    ['one slash', 'postgres:/shop:hunter2hunter2@127.0.0.1/shop', ['not an address', 'postgres://']],
    ['a password for a scheme', 'hunter2:hunter2@127.0.0.1/shop', ['not an address', 'postgres://']],
    [
      'a password with digits and /',
      'postgres://shop:12/34hunter2@127.0.0.1:1/shop',
      ['cannot be read', '%2F'],
    ],
    ['a password with @ and /', 'postgres://shop:p@hunter2/hunter2@db/shop', ['cannot be read', '%40']],
    ['a password with / twice', 'postgres://shop:1/hunter2/hunter2', ['cannot be read', '%2F']],
    ['a password with ?', 'postgres://shop:1?hunter2@db/shop', ['cannot be read', '%3F']],
    ['a password with #', 'postgres://shop:hunter2#hunter2@db/shop', ['cannot be read', '%23']],
    ['a password with /', 'postgres://shop:hunter2/hunter2@db/shop', ['cannot be read', '%2F']],
    ['a password with %', 'postgres://shop:hunter2%hunter2@db/shop', ['cannot be read', '%25']],
    [
      'a certificate that is not there',
      'postgres://shop:hunter2hunter2@127.0.0.1:1/shop?sslmode=verify-full&sslrootcert=/nowhere/ca.pem',
      ['A file or a socket', 'sslrootcert'],
    ],
    [
      'a socket that is not there',
      'postgres:///shop?host=/nowhere',
      ['A file or a socket', 'folder of the socket'],
    ],
    [
      'nobody there',
      'postgres://shop:hunter2hunter2@127.0.0.1:1/shop',
      ['127.0.0.1:1', 'refused', 'Start PostgreSQL'],
    ],
    [
      'a host that does not exist',
      'postgres://shop:hunter2hunter2@db.invalid/shop',
      ['db.invalid', 'Correct host and port'],
    ],
  ])('%s', async (_, url, words) => {
    const { exitCode, stdout, stderr } = await runCommand(['migrate'], {
      env: url === undefined ? {} : { DATABASE_URL: url },
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    for (const word of words) expect(stderr).toContain(word);
    expect(stderr).not.toContain('hunter2');
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
  });

  it.each<[string, string, string[]]>([
    ['something that says nothing', '', ['No answer in time', 'PostgreSQL which listens there']],
    [
      'something that is not PostgreSQL',
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      ['broke off', 'PostgreSQL which listens there'],
    ],
  ])('%s', async (_, greeting, words) => {
    const server = createServer((socket) => {
      // What is not read keeps a connection open, also one that the other side has left.
      socket.on('error', () => undefined).resume();
      if (greeting !== '') socket.end(greeting);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const env = { DATABASE_URL: `postgres://shop:hunter2hunter2@127.0.0.1:${port}/shop` };
      const { exitCode, stderr } = await runCommand(['migrate'], { env });
      expect(exitCode).toBe(1);
      for (const word of words) expect(stderr).toContain(word);
    } finally {
      server.close();
    }
  });
});

describe('a failure of the database', () => {
  const address = { url: 'postgres://shop:hunter2@db/shop', place: 'the database shop at db:5432' };
  const failure = (code: string, message: string): Error => Object.assign(new Error(message), { code });

  it.each<[string, string, string]>([
    ['28000', 'no pg_hba.conf entry for host "10.0.0.1", user "shop", no encryption', 'sslmode'],
    ['28000', 'role "shop" does not exist', 'user name or the password'],
    ['53300', 'sorry, too many clients already', 'Too many connections'],
    ['57P03', 'the database system is starting up', 'starting or stopping'],
    ['55P03', 'canceling statement due to lock timeout', 'is using'],
    ['57014', 'canceling statement due to statement timeout', 'statement_timeout'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain', 'sslrootcert'],
    ['XX000', 'unknown trouble with hunter2', 'unknown trouble with [redacted]'],
  ])('%s %s is told with its cure', (code, message, words) => {
    const { problem, cure } = describeDatabaseFailure(failure(code, message), address);
    expect(`${problem} ${cure}`).toContain(words);
    expect(cure).toMatch(/[.;]$/);
    expect(problem).not.toContain('hunter2');
  });

  it('is not what a mistake of ours is taken for', () => {
    const mistake = new TypeError('x is not a function');
    expect(() => describeDatabaseFailure(mistake, address)).toThrow(mistake);
  });
});

describe('migrate --schema and --migrations-table', () => {
  it.each(['shop.grants', '"shop"', "sh'op", ''])(
    'refuse %p, which TypeORM would take for something else',
    async (name) => {
      for (const option of ['--schema', '--migrations-table']) {
        const { exitCode, stderr } = await runCommand(['migrate', option, name]);
        expect(exitCode).toBe(2);
        expect(stderr).toContain('Write the bare name');
      }
    },
  );
});
