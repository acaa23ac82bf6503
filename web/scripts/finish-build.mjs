// After `vite build`: adds the API documentation and the licence texts, checks the size budgets,
// and writes the .br and .gz files that the server sends.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const WEB = dirname(dirname(fileURLToPath(import.meta.url)));
const DIST = join(WEB, 'dist');
const MODULES = join(WEB, 'node_modules');

/** Budgets in bytes after gzip. */
/** The shell leads to the market and the screener, and has a bell and lists of one's own; those brought it above 120 kB. */
const SYMBOL_ROUTE_MAX = 122_000;
const LAZY_ROUTE_MAX = 40_000;
/**
 * Of the shell and one page with all that is fetched on it. Pages are fetched one at a time, so another page costs
 * nobody who does not open it; all of them together, which was counted before, only told how many there are.
 */
const PAGE_CSS_MAX = 11_000;
const SYMBOL_ROUTE = 'src/routes/symbol/SymbolPage.svelte';

/** Smaller files gain nothing from compression. */
const COMPRESS_BYTES_MIN = 512;
const COMPRESSIBLE = new Set(['.html', '.js', '.css', '.svg', '.txt', '.json']);

function gzipped(file) {
  return gzipSync(readFileSync(join(DIST, file)), { level: 9 }).length;
}

/** The files that an entry of the manifest needs, its static imports included. */
function filesOf(manifest, key, seen = new Set()) {
  if (seen.has(key)) return { js: [], css: [] };
  seen.add(key);
  const entry = manifest[key];
  const found = { js: [entry.file], css: [...(entry.css ?? [])] };
  for (const dependency of entry.imports ?? []) {
    const below = filesOf(manifest, dependency, seen);
    found.js.push(...below.js);
    found.css.push(...below.css);
  }
  return found;
}

/** The styles of a page, those of the parts that it fetches later included. */
function stylesOf(manifest, key, seen = new Set()) {
  if (key === 'index.html' || seen.has(key)) return [];
  seen.add(key);
  const { css = [], imports = [], dynamicImports = [] } = manifest[key];
  return [...css, ...[...imports, ...dynamicImports].flatMap((below) => stylesOf(manifest, below, seen))];
}

function checkSizes() {
  const manifest = JSON.parse(readFileSync(join(DIST, '.vite', 'manifest.json'), 'utf8'));
  const sum = (files) => [...new Set(files)].reduce((total, file) => total + gzipped(file), 0);
  const entry = filesOf(manifest, 'index.html');
  const rows = [];
  for (const [key, chunk] of Object.entries(manifest)) {
    if (!chunk.isDynamicEntry) continue;
    const own = filesOf(manifest, key);
    const isSymbol = key === SYMBOL_ROUTE;
    const js = isSymbol ? sum([...entry.js, ...own.js]) : sum(own.js.filter((file) => !entry.js.includes(file)));
    rows.push({ name: isSymbol ? `shell + ${key}` : key, bytes: js, max: isSymbol ? SYMBOL_ROUTE_MAX : LAZY_ROUTE_MAX });
  }
  if (!rows.some((row) => row.name.endsWith(SYMBOL_ROUTE))) throw new Error(`the build has no chunk for ${SYMBOL_ROUTE}`);
  rows.push({ name: 'shell JS', bytes: sum(entry.js), max: SYMBOL_ROUTE_MAX });
  const pages = Object.keys(manifest).filter((key) => /^src\/routes\/.*Page\.svelte$/.test(key));
  const styled = pages.map((key) => ({ key, bytes: sum([...entry.css, ...stylesOf(manifest, key)]) })).sort((a, b) => b.bytes - a.bytes);
  rows.push({ name: `CSS of shell + ${styled[0].key}, the largest of ${styled.length}`, bytes: styled[0].bytes, max: PAGE_CSS_MAX });
  for (const { name, bytes, max } of rows) {
    console.log(`${(bytes / 1000).toFixed(1).padStart(7)} kB gzip of ${String(max / 1000).padStart(3)}  ${name}`);
  }
  const over = rows.filter((row) => row.bytes > row.max);
  if (over.length > 0) {
    throw new Error(`too large after gzip: ${over.map((row) => `${row.name} ${row.bytes} of at most ${row.max}`).join('; ')}`);
  }
}

function addApiDocs() {
  const from = join(MODULES, 'swagger-ui-dist');
  const to = join(DIST, 'api-docs');
  mkdirSync(to, { recursive: true });
  for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js']) copyFileSync(join(from, file), join(to, file));
}

function addLicences() {
  const packages = ['lightweight-charts', 'uplot', 'svelte', '@fontsource-variable/inter', 'swagger-ui-dist'];
  const texts = packages.map((name) => {
    const folder = join(MODULES, ...name.split('/'));
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const files = readdirSync(folder).filter((file) => /^(LICENSE|NOTICE|swagger-ui-bundle\.js\.LICENSE)/.test(file));
    if (files.length === 0) throw new Error(`${name} has no licence file`);
    return [`${name} ${version}`, ...files.map((file) => readFileSync(join(folder, file), 'utf8').trim())].join('\n\n');
  });
  writeFileSync(join(DIST, 'licences.txt'), `${texts.join(`\n\n${'='.repeat(80)}\n\n`)}\n`);
}

function* filesUnder(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path);
    else yield path;
  }
}

function compress() {
  for (const path of [...filesUnder(DIST)]) {
    if (!COMPRESSIBLE.has(extname(path)) || statSync(path).size < COMPRESS_BYTES_MIN) continue;
    const bytes = readFileSync(path);
    const brotli = brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    });
    for (const [suffix, packed] of [
      ['.br', brotli],
      ['.gz', gzipSync(bytes, { level: 9 })],
    ]) {
      if (packed.length < bytes.length) writeFileSync(path + suffix, packed);
    }
  }
}

checkSizes();
rmSync(join(DIST, '.vite'), { recursive: true });
addApiDocs();
addLicences();
compress();
const total = [...filesUnder(DIST)].reduce((sum, path) => sum + statSync(path).size, 0);
console.log(`${relative(process.cwd(), DIST)}: ${(total / 1e6).toFixed(2)} MB with the compressed copies`);
