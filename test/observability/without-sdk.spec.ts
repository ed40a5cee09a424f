import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { OperationsReader } from '../../src/observability/operations.reader.js';
import { grant, HOUR_MS, serviceOf } from '../refresh/refresh.harness.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

describe('an application without OpenTelemetry', () => {
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start();
  });
  afterAll(() => world.close());

  it('signs in and refreshes as ever, and reads nothing for metrics', async () => {
    const reader = site.app.get(OperationsReader, { strict: false });
    const readings = [jest.spyOn(reader.operations, 'get'), jest.spyOn(reader.census, 'get')];
    const page = await new Visitor().open(`${site.url}/hello`);
    expect(page.status).toBe(200);
    await grant(world, site, world.wechat.users[1]?.openid ?? '');
    world.clock.advance(2 * HOUR_MS);
    expect(await serviceOf(site).refreshDue()).toEqual({ refreshed: 1, failed: 0 });
    for (const reading of readings) expect(reading).not.toHaveBeenCalled();
  });
});
