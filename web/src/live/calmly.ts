/**
 * A function that does `work` at once when it was not done for `pauseMs`, and otherwise once as soon as
 * it was not: however often it is called.
 */
export function calmly(work: () => void, pauseMs: number): () => void {
  let doneAt = -Infinity;
  let timer: ReturnType<typeof setTimeout> | null = null;
  const now = (): void => {
    timer = null;
    doneAt = Date.now();
    work();
  };
  return () => {
    if (timer !== null) return;
    const wait = doneAt + pauseMs - Date.now();
    if (wait <= 0) now();
    else timer = setTimeout(now, wait);
  };
}
