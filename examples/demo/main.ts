import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

/** The running application: whoever imported this file closes it. */
export const app = await NestFactory.create(AppModule, {
  logger: ['error', 'warn'],
  // What is wrong is thrown at whoever imported this file, rather than ending the process here.
  abortOnError: false,
  // A browser opens connections ahead of its requests; close() would wait for them.
  forceCloseConnections: true,
});
await app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
