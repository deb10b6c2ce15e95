/** How often a request is tried, and the pauses between. */
export interface RetryRules {
  /** How often a request is sent at most. */
  readonly tries: number;
  /** The first pause, in milliseconds; each further one is twice as long, at most `longestPauseMs`. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** How long we wait if a server asks us to. What would take longer is not waited for. */
  readonly longestWaitMs: number;
  /** Between 0 and 1: spreads the pauses of many clients. */
  readonly random: () => number;
}

/** Times in milliseconds, sizes in bytes. */
export interface HttpTuning extends RetryRules {
  /** Requests to one host at once. */
  readonly parallel: number;
  /** How long a server may be silent. */
  readonly silenceMs: number;
  /** The least that must come in half of that time while something is read. */
  readonly leastBytes: number;
}

export const HTTP_TUNING: HttpTuning = {
  tries: 5,
  firstPauseMs: 500,
  longestPauseMs: 30_000,
  longestWaitMs: 300_000,
  random: Math.random,
  parallel: 6,
  silenceMs: 60_000,
  leastBytes: 30 * 1024,
};
