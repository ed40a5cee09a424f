import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, NestFastifyApplication } from '@nestjs/platform-fastify';
import { HelloModule } from './hello.module.js';

async function bootstrap() {
  const app = await NestFactory.create<NestFastifyApplication>(HelloModule, new FastifyAdapter());
  await app.listen(process.env.PORT ?? 3000);
}
await bootstrap();
