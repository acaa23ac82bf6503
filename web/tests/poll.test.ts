import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { poll } from '../src/live/poll';

class Page extends EventTarget {
  visibilityState = 'visible';
  become(state: 'visible' | 'hidden'): void {
    this.visibilityState = state;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('polling', () => {
  it('asks again a while after each answer, and not before the answer is there', async () => {
    let answer: () => void = () => undefined;
    const ask = vi.fn(() => new Promise<void>((resolve) => (answer = resolve)));
    const stop = poll(ask, () => 2000, new Page());
    expect(ask).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(2000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ask).toHaveBeenCalledTimes(1);
    answer();
    await vi.advanceTimersByTimeAsync(2000);
    expect(ask).toHaveBeenCalledTimes(2);
    stop();
  });
  it('asks nothing while nobody looks, and at once when somebody comes back', async () => {
    const page = new Page();
    const ask = vi.fn(() => Promise.resolve());
    const stop = poll(ask, () => 2000, page);
    page.become('hidden');
    await vi.advanceTimersByTimeAsync(600_000);
    expect(ask).not.toHaveBeenCalled();
    page.become('visible');
    expect(ask).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(2000);
    expect(ask).toHaveBeenCalledTimes(2);
    stop();
  });
  it('ends for good, also while an answer is awaited', async () => {
    const page = new Page();
    let answer: () => void = () => undefined;
    const ask = vi.fn(() => new Promise<void>((resolve) => (answer = resolve)));
    const stop = poll(ask, () => 10, page);
    await vi.advanceTimersByTimeAsync(10);
    stop();
    answer();
    await vi.advanceTimersByTimeAsync(1000);
    page.become('hidden');
    page.become('visible');
    expect(ask).toHaveBeenCalledTimes(1);
  });
  it('takes the wait of the moment', async () => {
    let wait = 30_000;
    const ask = vi.fn(() => {
      wait = 2000;
      return Promise.resolve();
    });
    const stop = poll(ask, () => wait, new Page());
    await vi.advanceTimersByTimeAsync(30_000);
    await vi.advanceTimersByTimeAsync(2000);
    expect(ask).toHaveBeenCalledTimes(2);
    stop();
  });
});
