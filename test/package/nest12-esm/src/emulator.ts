import { createWechatEmulator } from 'nestjs-wechat-auth/emulator';

async function bootstrap() {
  const { openBaseUrl, apiBaseUrl, apps, users } = await createWechatEmulator();
  console.log(JSON.stringify({ openBaseUrl, apiBaseUrl, app: apps[0], user: users[0] }));
}
await bootstrap();
