/** DI token of the host's TypeORM data source that the module uses, be it the default one or a named one. */
export const WECHAT_DATA_SOURCE = Symbol('nestjs-wechat-auth:data-source');
