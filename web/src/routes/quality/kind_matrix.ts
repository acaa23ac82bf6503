import type { QualitySummary, Severity } from '../../api/schema/quality';

export interface Kind {
  code: string;
  severity: Severity;
  count: number;
  symbols: number;
}

export interface MatrixRow {
  key: string;
  symbol: string;
  source: string;
  origin: QualitySummary['origin'];
  interval: string;
  /** One count a kind, in the order of the columns; zero where there is none. */
  counts: number[];
  total: number;
  /** Those of them that are errors. */
  errors: number;
}

export interface Matrix {
  kinds: Kind[];
  rows: MatrixRow[];
}

export interface MatrixFilter {
  source: string | null;
  severity: Severity | null;
}

export const SEVERITY_ORDER: Record<Severity, number> = { error: 0, warning: 1, info: 2 };

/** Which symbols have which findings how often: gravest kinds first, symbols with most errors first. */
export function kindMatrix(items: QualitySummary[], filter: MatrixFilter): Matrix {
  const wanted = items.filter((item) => filter.source === null || item.source === filter.source);
  const byCode = new Map<string, Kind>();
  for (const item of wanted) {
    for (const finding of item.findings) {
      if (filter.severity !== null && finding.severity !== filter.severity) continue;
      const known = byCode.get(finding.code);
      if (known === undefined) byCode.set(finding.code, { ...finding, symbols: 1 });
      else {
        known.count += finding.count;
        known.symbols += 1;
      }
    }
  }
  const kinds = [...byCode.values()].sort(
    (a, b) => SEVERITY_ORDER[a.severity] - SEVERITY_ORDER[b.severity] || b.count - a.count || (a.code < b.code ? -1 : 1),
  );
  const rows = wanted
    .map((item) => {
      const counts = kinds.map((kind) => item.findings.find((finding) => finding.code === kind.code)?.count ?? 0);
      return {
        key: `${item.symbol} ${item.source} ${item.interval}`,
        symbol: item.symbol,
        source: item.source,
        origin: item.origin,
        interval: item.interval,
        counts,
        total: counts.reduce((sum, count) => sum + count, 0),
        errors: counts.reduce((sum, count, index) => sum + (kinds[index]?.severity === 'error' ? count : 0), 0),
      };
    })
    .filter((row) => row.total > 0)
    .sort((a, b) => b.errors - a.errors || b.total - a.total || (a.symbol < b.symbol ? -1 : 1));
  return { kinds, rows };
}

/** How strongly a cell is shaded, 0 to 3: by the digits of its count, so that kinds can be compared. */
export function shade(count: number): 0 | 1 | 2 | 3 {
  if (count === 0) return 0;
  if (count >= 100) return 3;
  return count >= 10 ? 2 : 1;
}
