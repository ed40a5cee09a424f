import type { Answer } from './http-exchange.js';

const UNAUTHORIZED = {
  sign_in_required: {
    title: 'WeChat sign-in required',
    detail: 'Send the page to signInUrl, with its own address as return_to.',
  },
  consent_required: {
    title: 'WeChat consent required',
    detail:
      "This needs the user's WeChat profile. Send the page to signInUrl, with its own address as return_to.",
  },
} as const;

/** @param signInUrl where the page goes; it appends `return_to` with its own path. */
export function unauthorizedProblem(code: keyof typeof UNAUTHORIZED, signInUrl: string): Answer {
  return {
    ...problem(401, code, UNAUTHORIZED[code].title, UNAUTHORIZED[code].detail, { signInUrl }),
    wwwAuthenticate: `WeChat error="${code}", sign_in_url="${signInUrl}"`,
  };
}

export function crossOriginProblem(): Answer {
  return problem(
    403,
    'cross_origin',
    'Cross-origin request refused',
    'The Origin header names neither a public URL of the application nor an allowed origin.',
  );
}

export function snapshotProblem(): Answer {
  return problem(
    403,
    'snapshot_page',
    'Not on a snapshot page',
    'A WeChat snapshot page shows a virtual user, who can read but not change anything.',
  );
}

export function misdirectedProblem(): Answer {
  return problem(
    421,
    'unknown_host',
    'Unknown host',
    'Sign-in does not work under this host name; WECHAT_PUBLIC_URL lists those it works under.',
  );
}

export function unavailableProblem(): Answer {
  return problem(
    503,
    'temporarily_unavailable',
    'Temporarily unavailable',
    'A service that sign-in depends on is not answering. Try again in a moment.',
  );
}

export function notANavigationProblem(): Answer {
  return problem(
    400,
    'page_navigation_required',
    'Not a page navigation',
    'A sign-in is started and finished by a page that a person opens, not by a script, a frame or a prefetch.',
  );
}

function problem(
  status: number,
  code: string,
  title: string,
  detail: string,
  extensions: Record<string, unknown> = {},
): Answer & { kind: 'problem' } {
  return {
    kind: 'problem',
    status,
    body: { type: 'about:blank', title, status, detail, code, ...extensions },
  };
}
