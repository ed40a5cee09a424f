import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseUrl } from '../common/parsed-url.js';
import { CONTROL_VERBS, USER_VERBS, type ControlVerb } from './control.verbs.js';
import { WechatEmulatorError } from './emulator.errors.js';
import type { WechatEmulator } from './emulator.types.js';
import type { EmulatorRequest } from './http.messages.js';
import type { Takeover } from './http.server.js';
import { percentDecoded } from './identifiers.js';
import { fieldsOf } from './settings.checks.js';

const ROOT = '/emulator';
const BODY_LIMIT_BYTES = 16 * 1024 * 1024;

/** A request of the control API is refused: becomes `{"error":"..."}`. */
class ControlRefusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** A verb, and the openid in the path for those of users. */
interface ControlCall {
  readonly verb: ControlVerb;
  readonly openid: string;
}

/** @returns whether the path is one of the emulator's own, rather than of WeChat. */
export function isControlPath(path: string): boolean {
  return path.startsWith(ROOT);
}

/**
 * The verbs of {@link WechatEmulator} over HTTP, for tests in any language. See docs/emulator.md.
 *
 * A POST has to be `application/json`. A web page of another origin cannot send that without asking first, and as there
 * are no CORS headers the answer is no. Nor can it come under a name that it leads to this machine, since the Host header
 * has to be one of the machine's own. So no page that is open in a developer's browser can drive the emulator.
 *
 * @param emulator is undefined while it starts: one of its two ports may listen before the other.
 */
export function controlApi(emulator: WechatEmulator | undefined, request: EmulatorRequest): Takeover {
  return (message, response) => {
    void answerOf(emulator, request, message)
      .then((outcome) => {
        send(response, 200, outcome);
      })
      .catch((error: unknown) => {
        sendError(response, error);
      });
  };
}

async function answerOf(
  emulator: WechatEmulator | undefined,
  request: EmulatorRequest,
  message: IncomingMessage,
): Promise<unknown> {
  checkHost(message.headers.host, message.socket.localPort);
  if (!emulator) throw new ControlRefusal(503, 'The emulator is about to start: ask again in a moment.');
  const { verb, openid } = find(request.path.slice(ROOT.length));
  checkMethod(verb, request.method);
  if (openid !== '') checkUser(emulator, openid);
  const isRead = verb.method === 'GET';
  if (!isRead && request.rawQuery !== '') {
    throw new ControlRefusal(400, 'The query has to be empty: what a POST takes is in its body.');
  }
  const input: unknown = isRead ? Object.fromEntries(request.query) : await readJson(message);
  checkInput(verb, input, isRead ? 'query' : 'body');
  return (await verb.answer(emulator, input, openid)) ?? {};
}

/**
 * The name that a page of somewhere else was loaded under may lead to this machine by the time it asks (DNS rebinding).
 * Then it is of the same origin, and may send and read what it likes; but it cannot give another name than its own.
 */
function checkHost(host: string | undefined, port = 0): void {
  if (host === undefined || host === '' || isLoopback(host)) return;
  throw new ControlRefusal(
    403,
    `The Host header is ${JSON.stringify(host)}, which is no name of this machine's own, so a web page of somewhere else may have sent this. Ask 127.0.0.1:${String(port)}, or send the header Host: localhost.`,
  );
}

function isLoopback(host: string): boolean {
  const hostname = parseUrl(`http://${host}`)?.hostname ?? '';
  return /^(127\.\d+\.\d+\.\d+|\[::1\]|(.+\.)?localhost)$/.test(hostname);
}

function find(path: string): ControlCall {
  const [, id, action] = /^\/users\/([^/]+)(\/.+)?$/.exec(path) ?? [];
  const verb = id === undefined ? CONTROL_VERBS.get(path) : USER_VERBS.get(action ?? '');
  if (!verb) {
    const known = [
      ...CONTROL_VERBS.keys(),
      ...[...USER_VERBS.keys()].map((name) => `/users/<openid>${name}`),
    ];
    throw new ControlRefusal(404, `There is no ${ROOT}${path}. There are ${inWords(known)}.`);
  }
  return { verb, openid: id === undefined ? '' : percentDecoded(id) };
}

function inWords(paths: readonly string[]): string {
  return paths.map((path) => ROOT + path).join(', ');
}

function checkMethod({ method }: ControlVerb, asked: string): void {
  const allowed = method === 'GET' ? ['GET', 'HEAD'] : ['POST'];
  if (allowed.includes(asked)) return;
  throw new ControlRefusal(405, `This takes ${allowed.join(' or ')}, not ${asked}.`, {
    allow: allowed.join(', '),
  });
}

function checkUser(emulator: WechatEmulator, openid: string): void {
  try {
    emulator.user(openid);
  } catch (error) {
    throw error instanceof WechatEmulatorError ? new ControlRefusal(404, error.message) : error;
  }
}

/** Without a body it is an empty object, for the verbs that need none. */
async function readJson(message: IncomingMessage): Promise<unknown> {
  const type = message.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    const found = type === '' ? 'has no content type' : `is ${type}`;
    throw new ControlRefusal(
      415,
      `The body ${found}: send the header Content-Type: application/json, also where there is no body. curl --json '{}' does.`,
    );
  }
  const text = await readText(message);
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ControlRefusal(400, `The body is not JSON (${String(error)}).`);
  }
}

async function readText(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Read to its end all the same: a client may look for the answer only after it has sent everything.
    if (size <= BODY_LIMIT_BYTES) chunks.push(chunk);
  }
  if (size > BODY_LIMIT_BYTES) {
    throw new ControlRefusal(
      413,
      `The body has ${String(size)} bytes; ${String(BODY_LIMIT_BYTES)} are the most. For a huge answer use the fault bodyBytes.`,
    );
  }
  return Buffer.concat(chunks).toString('utf8');
}

function checkInput({ fields }: ControlVerb, input: unknown, name: string): void {
  const problem = fieldsOf(fields)(input, name);
  if (problem === undefined) return;
  const takesNone = Object.keys(fields).length === 0;
  throw new ControlRefusal(400, takesNone ? `The ${name} has to be empty: this takes nothing.` : problem);
}

function sendError(response: ServerResponse, error: unknown): void {
  if (error instanceof ControlRefusal) {
    send(response, error.status, { error: error.message }, error.headers);
  } else if (error instanceof WechatEmulatorError && error.code === 'emulator_argument') {
    send(response, 400, { error: error.message });
  } else {
    // The state file cannot be written any more, or it is a defect.
    send(response, 500, { error: error instanceof Error ? error.message : String(error) });
  }
}

function send(
  response: ServerResponse,
  status: number,
  answer: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = `${JSON.stringify(answer)}\n`;
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}
