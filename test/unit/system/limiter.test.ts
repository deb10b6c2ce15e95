import { describe, expect, it } from '@jest/globals';
import { inParallel, limiter } from '../../../src/system/limiter.js';

describe('a limiter', () => {
  it('REG-12 lets half as many through when it was too much, at least one, and slowly more again', () => {
    const limits = limiter(8);
    limits.wasTooMuch();
    expect(limits.width()).toBe(4);
    for (let time = 0; time < 5; time += 1) limits.wasTooMuch();
    expect(limits.width()).toBe(1);
    for (let time = 0; time < 10; time += 1) limits.wentWell();
    expect(limits.width()).toBe(2);
    for (let time = 0; time < 1000; time += 1) limits.wentWell();
    expect(limits.width()).toBe(8);
  });

  it('lets no more run at once than its width, and all in the end', async () => {
    const limits = limiter(3);
    let [running, most, done] = [0, 0, 0];
    const work = async () => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      done += 1;
      if (done === 5) throw new Error('one fails');
    };
    await Promise.allSettled(Array.from({ length: 20 }, () => limits.run(work)));
    expect([most, done]).toEqual([3, 20]);
  });

  it('begins nothing new after a failure, and waits for what runs', async () => {
    const begun: number[] = [];
    const work = async (item: number) => {
      begun.push(item);
      await Promise.resolve();
      if (item === 1) throw new Error('broken');
    };
    await expect(inParallel([0, 1, 2, 3, 4, 5, 6, 7], 2, work)).rejects.toThrow('broken');
    expect(begun.length).toBeLessThan(6);
  });
});
