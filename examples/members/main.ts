import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

/** The running application, for a test that wants to stop it. */
export const app = await NestFactory.create(AppModule);
// So that what is in flight is finished before the process ends.
app.enableShutdownHooks();
await app.listen(Number(process.env.PORT ?? 3000));
