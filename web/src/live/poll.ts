/** Where it is seen whether anybody looks at the page. */
export interface Looked {
  readonly visibilityState: string;
  addEventListener(type: 'visibilitychange', listener: () => void): void;
  removeEventListener(type: 'visibilitychange', listener: () => void): void;
}

/**
 * Asks again and again, `waitMs` after each answer, until the returned function is called.
 *
 * While nobody looks at the page nothing is asked; who comes back gets an answer at once.
 */
export function poll(ask: () => Promise<void>, waitMs: () => number, page: Looked = document): () => void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let isAsking = false;
  let isOver = false;

  const wait = (): void => {
    if (isOver || page.visibilityState === 'hidden') return;
    timer = setTimeout(() => void once(), waitMs());
  };
  const once = async (): Promise<void> => {
    timer = null;
    isAsking = true;
    try {
      await ask();
    } finally {
      isAsking = false;
      wait();
    }
  };
  const onVisibility = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (page.visibilityState !== 'hidden' && !isAsking) void once();
  };

  page.addEventListener('visibilitychange', onVisibility);
  wait();
  return () => {
    isOver = true;
    if (timer !== null) clearTimeout(timer);
    page.removeEventListener('visibilitychange', onVisibility);
  };
}
