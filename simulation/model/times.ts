export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** From one step of the simulation to the next, in milliseconds of emulated time. */
export const STEP_MS = 5 * MINUTE_MS;
/** How far the clock of one instance is from WeChat's and from the others', in milliseconds. */
export const SKEW_MS = 20 * SECOND_MS;
/** What two clocks have told may be apart by so much at the most; comparisons allow for it, and a little more. */
export const TOLERANCE_MS = 2 * SKEW_MS + SECOND_MS;

export const ACCESS_TOKEN_MS = 2 * HOUR_MS;
export const REFRESH_TOKEN_MS = 30 * DAY_MS;
export const CONSENT_MS = 30 * DAY_MS;
export const RECONSENT_WINDOW_MS = 3 * DAY_MS;
export const SESSION_MS = 30 * DAY_MS;
/** A session is good for so long without any doubt; later a page may find out, silently, whether it is still its user. */
export const DOUBTLESS_MS = DAY_MS;
/** After the last trouble everything that was put off has been tried again: the longest pause of a refresh, and a step. */
export const RECOVERY_MS = 40 * MINUTE_MS;
