// wechat-oauth as its README shows it: callbacks, and tokens in its own memory.
import { promisify } from 'node:util';
import OAuth from 'wechat-oauth';
import { takeCommands } from './command.loop.mjs';

const oauth = new OAuth(process.env.APP_ID, process.env.APP_SECRET);
const method = (name) => promisify(oauth[name].bind(oauth));

takeCommands({
  getAuthorizeURL: (...args) => oauth.getAuthorizeURL(...args),
  getAccessToken: method('getAccessToken'),
  getUserByCode: method('getUserByCode'),
  getUser: method('getUser'),
  refreshAccessToken: method('refreshAccessToken'),
  verifyToken: method('verifyToken'),
});
