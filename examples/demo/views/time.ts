const DAY_MS = 24 * 60 * 60 * 1000;

/** Also runs in the browser, for the countdown, and so uses nothing outside itself. */
export function formatTimeLeft(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const days = Math.floor(seconds / 86_400);
  const clock = [seconds / 3600, seconds / 60, seconds]
    .map((value, index) => String(Math.floor(value) % (index === 0 ? 24 : 60)).padStart(2, '0'))
    .join(':');
  return days > 0 ? `${String(days)} 天 ${clock}` : clock;
}

export function formatInstant(instant: Date): string {
  return new Intl.DateTimeFormat('zh-CN', { dateStyle: 'medium', timeStyle: 'short' }).format(instant);
}

/** How long WeChat lets each of them live. */
export const LIFETIMES_MS = { accessToken: 7_200_000, refreshToken: 30 * DAY_MS, consent: 30 * DAY_MS };
