// An Express application with passport-wechat, which keeps tokens where its users have a database.
import { once } from 'node:events';
import { promisify } from 'node:util';
import express from 'express';
import passport from 'passport';
import WechatStrategy from 'passport-wechat';
import { takeCommands } from './command.loop.mjs';

const tokens = new Map();

const strategy = new WechatStrategy(
  {
    appID: process.env.APP_ID,
    appSecret: process.env.APP_SECRET,
    client: 'wechat',
    lang: 'zh_CN',
    getToken: (openid, done) => done(null, tokens.get(openid)),
    saveToken: (openid, token, done) => {
      tokens.set(openid, token);
      done(null);
    },
  },
  (accessToken, refreshToken, profile, expiresIn, done) =>
    done(null, { accessToken, refreshToken, profile, expiresIn }),
);
passport.use(strategy);

const app = express();
app.use(passport.initialize());
for (const scope of ['snsapi_base', 'snsapi_userinfo']) {
  app.get(`/${scope}`, (request, response, next) => {
    const callbackURL = `${request.protocol}://${request.get('Host')}/callback`;
    passport.authenticate('wechat', { scope, callbackURL, state: 'abc123' })(request, response, next);
  });
}
app.get('/callback', passport.authenticate('wechat', { session: false }), (request, response) => {
  response.json(request.user);
});
app.use((error, request, response, next) => {
  if (response.headersSent) return next(error);
  const { name, code, message } = error;
  return response.status(500).json({ name, code, message });
});

const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');

// The strategy has no more to offer than the sign-in; for the rest, its users go on with the client inside it.
const oauth = strategy._oauth;
takeCommands({
  url: () => `http://127.0.0.1:${server.address().port}`,
  savedToken: (openid) => tokens.get(openid),
  getUser: promisify(oauth.getUser.bind(oauth)),
  refreshAccessToken: promisify(oauth.refreshAccessToken.bind(oauth)),
});
