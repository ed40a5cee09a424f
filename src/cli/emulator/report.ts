import type { StartedEmulator } from './start.js';

/** The settings of an application that uses this emulator. */
export function environmentOf({ wechat, options }: StartedEmulator): Record<string, string> {
  const [app] = wechat.apps;
  return {
    WECHAT_OPEN_BASE_URL: wechat.openBaseUrl,
    WECHAT_API_BASE_URL: wechat.apiBaseUrl,
    WECHAT_APP_ID: app?.appId ?? '',
    // Only the one that the emulator made up: whoever configures an app may have taken the secret of a real one.
    ...(options.apps === undefined ? { WECHAT_APP_SECRET: app?.appSecret ?? '' } : {}),
  };
}

/** For people. */
export function startedText(started: StartedEmulator): string {
  const { wechat, options } = started;
  const lines = Object.entries(environmentOf(started)).map(([name, value]) => `  ${name}=${value}`);
  const secret =
    options.apps === undefined
      ? 'The secret is made up, and worth nothing anywhere else.'
      : 'WECHAT_APP_SECRET is the appSecret that you have configured.';
  const state =
    options.stateFile === undefined
      ? 'What happens is forgotten at the end; --state keeps it in a file.'
      : `What happens is kept in ${options.stateFile}.`;
  const tls = wechat.tlsUrl === undefined ? '' : `\n  The same over TLS      ${wechat.tlsUrl}`;
  return `The emulated WeChat is ready.

  Choose who uses it     ${wechat.url}
  Control it from tests  ${wechat.url}/emulator${tls}

Give your application this environment:

${lines.join('\n')}

${secret}
${state}
Ctrl-C stops it.
`;
}

/** For scripts: one line, which comes as soon as the emulator answers. */
export function startedJson(started: StartedEmulator): string {
  const { url, tlsUrl } = started.wechat;
  const apps = started.wechat.apps.map(({ appId, kind, name }) => ({ appId, kind, name }));
  const ready = {
    url,
    tlsUrl,
    controlUrl: `${url}/emulator`,
    pid: process.pid,
    apps,
    env: environmentOf(started),
  };
  return `${JSON.stringify(ready)}\n`;
}
