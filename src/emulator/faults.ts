import { pageError } from './authorize.checks.js';
import { errorPage } from './authorize.pages.js';
import { WechatEmulatorError } from './emulator.errors.js';
import type {
  WechatEmulatorEndpoint,
  WechatEmulatorFault,
  WechatEmulatorFaultOptions,
} from './emulator.types.js';
import { burnCode } from './grants.js';
import type { EmulatorRequest, EmulatorResponse } from './http.messages.js';
import type { Delivery } from './http.server.js';
import type { WechatPlatform } from './platform.js';
import { snsErrorResponse } from './sns.endpoints.js';

const ENDPOINTS: readonly WechatEmulatorEndpoint[] = ['authorize', 'token', 'refresh', 'userinfo', 'auth'];
/** A timer takes no more than about 24 days, and answers at once beyond. */
const MAX_DELAY_MS = 24 * 60 * 60 * 1000;
/** Half of what a text may have in Node.js. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;
const OPTIONS = ['times', 'share', 'durationMs'];

interface FaultKind {
  readonly name: string;
  readonly isRight: (value: unknown) => boolean;
  readonly example: string;
  /** What may stand beside it. */
  readonly beside?: readonly string[];
}

/** The kinds of fault, what each may hold, and how it is written. */
const KINDS: readonly FaultKind[] = [
  { name: 'errcode', isRight: Number.isSafeInteger, example: '45011', beside: ['errmsg'] },
  { name: 'status', isRight: isStatusWithBody, example: '502' },
  { name: 'body', isRight: isBody, example: "'...'", beside: ['contentType'] },
  { name: 'bodyBytes', isRight: upTo(MAX_BODY_BYTES), example: '1000000', beside: ['contentType'] },
  { name: 'hang', isRight: isTrue, example: 'true' },
  { name: 'cut', isRight: isTrue, example: 'true' },
  { name: 'delayMs', isRight: upTo(MAX_DELAY_MS), example: '3000' },
];

interface QueuedFault {
  fault: WechatEmulatorFault;
  timesLeft: number;
  share: number;
  endsAtMs: number;
}

/** Faults that wait for their requests. */
export class FaultQueue {
  private readonly queues = new Map<WechatEmulatorEndpoint, QueuedFault[]>();

  add(
    endpoint: WechatEmulatorEndpoint,
    fault: WechatEmulatorFault,
    options: WechatEmulatorFaultOptions,
    nowMs: number,
  ): void {
    const { share = 1, durationMs = Infinity, times } = options;
    if (!ENDPOINTS.includes(endpoint)) {
      throw wrongArgument(`no endpoint ${JSON.stringify(endpoint)}; there are ${ENDPOINTS.join(', ')}`);
    }
    checkFault(fault);
    const strange = Object.keys(options).find((name) => !OPTIONS.includes(name));
    if (strange !== undefined) {
      throw wrongArgument(`no option ${JSON.stringify(strange)} of a fault; there are ${OPTIONS.join(', ')}`);
    }
    const timesLeft = times ?? (share < 1 || durationMs < Infinity ? Infinity : 1);
    if (!(timesLeft >= 1)) {
      throw wrongArgument('no fault that happens less than once; give `times` of 1 or more');
    }
    if (!(share > 0 && share <= 1)) {
      throw wrongArgument('no such share of requests; give `share` above 0, and 1 at the most');
    }
    if (!(durationMs > 0)) {
      throw wrongArgument('no fault that is over at once; give `durationMs` above 0');
    }
    const queue = this.queues.get(endpoint) ?? [];
    queue.push({ fault, timesLeft, share, endsAtMs: nowMs + durationMs });
    this.queues.set(endpoint, queue);
  }

  /**
   * @param fraction draws a number below 1, for faults that meet a share of the requests.
   * @returns the fault for a request that has just come, if there is one.
   */
  take(
    endpoint: WechatEmulatorEndpoint,
    nowMs: number,
    fraction: () => number,
  ): WechatEmulatorFault | undefined {
    const queue = this.queues.get(endpoint) ?? [];
    while (queue[0] && (queue[0].timesLeft < 1 || queue[0].endsAtMs <= nowMs)) queue.shift();
    const [first] = queue;
    if (!first || (first.share < 1 && fraction() >= first.share)) return undefined;
    first.timesLeft -= 1;
    return first.fault;
  }

  clear(): void {
    this.queues.clear();
  }
}

/** Answers a request the way a fault says. `answer` does the work as if there were no fault. */
export function answerWithFault(
  platform: WechatPlatform,
  endpoint: WechatEmulatorEndpoint,
  request: EmulatorRequest,
  fault: WechatEmulatorFault | undefined,
  answer: () => EmulatorResponse,
): Delivery {
  if (!fault) {
    return { response: answer(), manner: 'now' };
  }
  if ('hang' in fault) {
    return { response: answer(), manner: 'hang' };
  }
  if ('cut' in fault) {
    return { response: answer(), manner: 'cut' };
  }
  if ('delayMs' in fault) {
    return { response: answer(), manner: fault.delayMs };
  }
  if (endpoint === 'token') {
    burnCode(platform, request.parameter('code'));
  }
  return { response: replacement(platform, endpoint, fault), manner: 'now' };
}

function replacement(
  platform: WechatPlatform,
  endpoint: WechatEmulatorEndpoint,
  fault: Exclude<WechatEmulatorFault, { hang: true } | { cut: true } | { delayMs: number }>,
): EmulatorResponse {
  if ('body' in fault || 'bodyBytes' in fault) {
    const body = 'body' in fault ? fault.body : '{'.repeat(fault.bodyBytes);
    return { status: 200, headers: { 'content-type': fault.contentType ?? 'text/plain' }, body };
  }
  if ('status' in fault) {
    // What a gateway in front of the API says.
    const body = `<html>\r\n<body>\r\n<center><h1>${String(fault.status)}</h1></center>\r\n</body>\r\n</html>\r\n`;
    return { status: fault.status, headers: { 'content-type': 'text/html' }, body };
  }
  return endpoint === 'authorize'
    ? errorPage(pageError(fault.errcode, fault.errmsg))
    : snsErrorResponse(platform, fault.errcode, fault.errmsg);
}

/** Faults also come from outside, as JSON. */
function checkFault(fault: unknown): void {
  const fields = typeof fault === 'object' && fault !== null ? (fault as Record<string, unknown>) : {};
  const kind = KINDS.find(({ name }) => name in fields);
  const allowed = kind ? [kind.name, ...(kind.beside ?? [])] : [];
  const isKnown = Object.keys(fields).every((name) => allowed.includes(name));
  const isRight = kind?.isRight(fields[kind.name]) && hasContentType(fields['contentType']);
  if (isKnown && isRight) return;
  const choices = KINDS.map(({ name, example }) => `{ ${name}: ${example} }`).join(', ');
  const more = 'an errcode may have an errmsg, a body a contentType';
  throw wrongArgument(`no fault ${JSON.stringify(fault)}; give exactly one of ${choices}; ${more}`);
}

function upTo(most: number): (value: unknown) => boolean {
  return (value) => Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most;
}

function isTrue(value: unknown): boolean {
  return value === true;
}

function isBody(value: unknown): boolean {
  return typeof value === 'string' || value instanceof Uint8Array;
}

/** An answer of these three has no body. */
function isStatusWithBody(value: unknown): boolean {
  return Number(value) >= 200 && upTo(599)(value) && ![204, 205, 304].includes(Number(value));
}

/** Absent, or one that a header can hold. */
function hasContentType(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && /^[\x20-\x7e]+$/.test(value));
}

function wrongArgument(problem: string): WechatEmulatorError {
  return new WechatEmulatorError('emulator_argument', `The emulator has ${problem}.`);
}
