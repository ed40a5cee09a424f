import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { context, trace } from '@opentelemetry/api';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { request } from 'undici';
import { createWechatEmulator, type WechatEmulator } from '../../src/emulator/index.js';
import { WechatClient } from '../../src/protocol/wechat.client.js';

describe('traces of an application that instruments its HTTP client', () => {
  const exporter = new InMemorySpanExporter();
  const instrumentation = new UndiciInstrumentation();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  let wechat: WechatEmulator;
  let client: WechatClient;

  beforeAll(async () => {
    provider.register();
    instrumentation.setTracerProvider(provider);
    instrumentation.enable();
    wechat = await createWechatEmulator();
    client = new WechatClient({
      accounts: wechat.apps,
      openBaseUrl: wechat.openBaseUrl,
      apiBaseUrl: wechat.apiBaseUrl,
      requestTimeoutMs: 1_000,
    });
  });
  afterEach(() => {
    exporter.reset();
  });
  afterAll(async () => {
    instrumentation.disable();
    await provider.shutdown();
    trace.disable();
    context.disable();
    await client.close();
    await wechat.close();
  });

  it('would show the whole address of other calls', async () => {
    await (await request(`${wechat.url}/sns/userinfo?access_token=visible`)).body.text();
    expect(JSON.stringify(exporter.getFinishedSpans().map(({ attributes }) => attributes))).toContain(
      'visible',
    );
  });

  it('show a call of WeChat in one span, without anything secret', async () => {
    const failure = client.authorizationCodeGrant({ code: 'code-of-nobody' });
    await expect(failure).rejects.toMatchObject({ errcode: 40029 });
    const spans = exporter
      .getFinishedSpans()
      .map(({ name, attributes, events }) => ({ name, attributes, events }));
    expect(spans).toEqual([
      {
        name: 'WeChat token',
        attributes: {
          'http.request.method': 'GET',
          'url.path': '/sns/oauth2/access_token',
          'error.type': 'wechat_error',
          'wechat.errcode': 40029,
          'wechat.request_id': expect.any(String),
        },
        events: [],
      },
    ]);
    const text = JSON.stringify(spans);
    expect(text).not.toContain('code-of-nobody');
    expect(text).not.toContain(wechat.apps[0]?.appSecret);
  });
});
