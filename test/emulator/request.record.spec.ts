import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { EmulatorRequest } from '../../src/emulator/http.messages.js';
import { RequestRecord } from '../../src/emulator/request.record.js';

const KEPT = 100_000;

describe('RequestRecord', () => {
  it('keeps the latest 100,000 requests, oldest first', () => {
    const record = new RequestRecord();
    const total = KEPT + 30_000;
    for (let number = 0; number < total; number++)
      record.add(request(`/sns/auth?n=${number}`), 'auth', number);

    const { list } = record;
    expect(list).toHaveLength(KEPT);
    expect(list.every(({ at }, index) => at.getTime() === total - KEPT + index)).toBe(true);
    expect(list[0]?.query).toEqual({ n: String(total - KEPT) });
    expect(list.at(-1)?.query).toEqual({ n: String(total - 1) });
  });

  it('keeps an address of any length, beside others', () => {
    const record = new RequestRecord();
    const long = 'x'.repeat(300_000);
    for (const name of ['a', long, 'b']) record.add(request(`/${name}`), undefined, 0);

    expect(record.list.map(({ path }) => path)).toEqual(['/a', `/${long}`, '/b']);
  });

  it('leaves a list as it was when more requests come', () => {
    const record = new RequestRecord();
    record.add(request('/a'), undefined, 0);
    const { list } = record;
    record.add(request('/b'), undefined, 0);

    expect(list.map(({ path }) => path)).toEqual(['/a']);
    expect(record.list.map(({ path }) => path)).toEqual(['/a', '/b']);
  });
});

function request(url: string): EmulatorRequest {
  const message = new IncomingMessage(new Socket());
  message.method = 'GET';
  message.url = url;
  return new EmulatorRequest(message, '');
}
