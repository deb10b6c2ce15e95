/** Lets so many pieces of work run at once, fewer when it was too much, and again more when it goes well. */
export interface Limiter {
  readonly run: <T>(work: () => Promise<T>) => Promise<T>;
  readonly wasTooMuch: () => void;
  readonly wentWell: () => void;
  /** How many may run at once at the moment. */
  readonly width: () => number;
}

/** How many times it must go well before one more may run. */
const STEADY = 10;

export function limiter(most: number): Limiter {
  let width = most;
  let running = 0;
  let wellInARow = 0;
  const waiting: (() => void)[] = [];
  const next = () => {
    while (running < width && waiting.length > 0) {
      running += 1;
      waiting.shift()?.();
    }
  };
  return {
    width: () => width,
    wasTooMuch: () => {
      width = Math.max(1, Math.floor(width / 2));
      wellInARow = 0;
    },
    wentWell: () => {
      wellInARow += 1;
      if (wellInARow % STEADY === 0) width = Math.min(most, width + 1);
    },
    run: async (work) => {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        next();
      });
      try {
        return await work();
      } finally {
        running -= 1;
        next();
      }
    },
  };
}

/** Does something with each item, so many at a time. The first failure ends it: nothing new is begun. */
export async function inParallel<T>(items: Iterable<T>, most: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  let isOver = false;
  const worker = async () => {
    for (let next = queue.next(); !isOver && !next.done; next = queue.next()) {
      try {
        await work(next.value);
      } catch (error) {
        isOver = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: most }, worker));
  const broken = ends.find((end) => end.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
}
