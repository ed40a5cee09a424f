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
const KINDS = ['errcode', 'status', 'body', 'hang', 'cut', 'delayMs'];

interface QueuedFault {
  fault: WechatEmulatorFault;
  timesLeft: number;
}

/** Faults that wait for their requests. */
export class FaultQueue {
  private readonly queues = new Map<WechatEmulatorEndpoint, QueuedFault[]>();

  add(
    endpoint: WechatEmulatorEndpoint,
    fault: WechatEmulatorFault,
    { times = 1 }: WechatEmulatorFaultOptions = {},
  ): void {
    if (!ENDPOINTS.includes(endpoint)) {
      throw wrongArgument(`no endpoint ${JSON.stringify(endpoint)}; there are ${ENDPOINTS.join(', ')}`);
    }
    if (KINDS.filter((kind) => kind in fault).length !== 1) {
      throw wrongArgument(`no fault ${JSON.stringify(fault)}; give exactly one of ${KINDS.join(', ')}`);
    }
    if (!(times >= 1)) {
      throw wrongArgument('no fault that happens less than once; give `times` of 1 or more');
    }
    const queue = this.queues.get(endpoint) ?? [];
    queue.push({ fault, timesLeft: times });
    this.queues.set(endpoint, queue);
  }

  /** @returns the fault for a request that has just come, if there is one. */
  take(endpoint: WechatEmulatorEndpoint): WechatEmulatorFault | undefined {
    const queue = this.queues.get(endpoint) ?? [];
    const first = queue[0];
    if (first) {
      first.timesLeft -= 1;
      if (first.timesLeft < 1) {
        queue.shift();
      }
    }
    return first?.fault;
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
    burnCode(platform, request.query.get('code') ?? '');
  }
  return { response: replacement(platform, endpoint, fault), manner: 'now' };
}

function replacement(
  platform: WechatPlatform,
  endpoint: WechatEmulatorEndpoint,
  fault: Extract<WechatEmulatorFault, { errcode: number } | { status: number } | { body: unknown }>,
): EmulatorResponse {
  if ('body' in fault) {
    return { status: 200, headers: { 'content-type': fault.contentType ?? 'text/plain' }, body: fault.body };
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

function wrongArgument(problem: string): WechatEmulatorError {
  return new WechatEmulatorError('emulator_argument', `The emulator has ${problem}.`);
}
