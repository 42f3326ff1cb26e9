// Waiting for what cannot be awaited: a process's exit from the kernel's
// tables, a socket that somebody else opens.

import { setTimeout as pause } from 'node:timers/promises';

const TICK_MS = 10;

/** Asks until the answer is neither `undefined` nor `false`. `what` is for the error. */
export async function until<T>(
  what: string,
  question: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 10_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await question();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() >= deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await pause(TICK_MS);
  }
}

/** The promise's value, or an error at the deadline. */
export async function within<T>(what: string, promise: Promise<T>, timeoutMs = 10_000): Promise<T> {
  const controller = new AbortController();
  const expired = pause(timeoutMs, undefined, { signal: controller.signal }).then(() => {
    throw new Error(`not within ${timeoutMs} ms: ${what}`);
  });
  // Whoever loses the race must not be an unhandled rejection.
  expired.catch(() => {});
  promise.catch(() => {});
  try {
    return await Promise.race([promise, expired]);
  } finally {
    controller.abort();
  }
}
