/** Never more points than a chart has room for. */
const POINTS_MAX = 5000;

/**
 * The points of a window one step apart. Where the server has none nothing happened, which `empty`
 * makes a point of: a line over it would tell of requests that nobody made.
 */
export function evenPoints<P extends { at: string }>(points: P[], bounds: { from: string; to: string; step_s: number }, empty: (at: string) => P): P[] {
  const first = points[0];
  const stepMs = bounds.step_s * 1000;
  if (first === undefined || !(stepMs > 0)) return points;
  const known = new Map(points.map((point) => [Date.parse(point.at), point]));
  const anchor = Date.parse(first.at);
  const from = anchor - Math.floor((anchor - Date.parse(bounds.from)) / stepMs) * stepMs;
  const to = Date.parse(bounds.to);
  if ((to - from) / stepMs > POINTS_MAX) return points;
  const even: P[] = [];
  for (let at = Math.min(from, anchor); at <= to; at += stepMs) even.push(known.get(at) ?? empty(new Date(at).toISOString()));
  return even.length >= points.length ? even : points;
}
