/** Where people reach the application: one entry of `WECHAT_PUBLIC_URL`. */
export interface PublicUrl {
  /** Scheme, host and port, for example `https://shop.example.com`. */
  origin: string;
  /** `Host` header that chooses this entry. */
  host: string;
  /** Path that a reverse proxy strips before the application sees it; `''` or `/shop`, never with a slash at the end. */
  basePath: string;
}
