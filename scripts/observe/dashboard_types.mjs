#!/usr/bin/env node
// Holds dashboards against the types of @grafana/schema, by the TypeScript compiler: the dashboard as a
// whole, and the options and fields of each panel against those of its kind. Controls that have a fault
// each have to be refused, so that a check that lets everything through is noticed.
//
// usage: dashboard_types.mjs TOOLS DASHBOARD..., where TOOLS/node_modules has @grafana/schema and typescript
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";

const [tools, ...files] = process.argv.slice(2);
const place = resolve(tools, "types");
const kinds = "../node_modules/@grafana/schema/dist/types/raw/composable";
const compiler = resolve(tools, "node_modules/typescript/bin/tsc");
rmSync(place, { recursive: true, force: true });
mkdirSync(place, { recursive: true });

// What JSON can say of a type: enums are their values, and what is left out is the panel's default.
const head = (used) => `import type { Dashboard, Panel, RowPanel, DataQuery, GraphFieldConfig } from "@grafana/schema";
${used.map((kind) => `import type * as ${kind} from "${kinds}/${kind}/panelcfg/x/types.gen";`).join("\n")}
type Plain<T> = unknown extends T ? T
  : T extends string ? \`\${T}\` : T extends number ? T : T extends boolean | null | undefined ? T
  : T extends (infer U)[] ? Plain<U>[] : { [K in keyof T]?: Plain<T[K]> };
interface Query extends DataQuery {
  expr: string; legendFormat?: string; format?: "time_series" | "table" | "heatmap";
  instant?: boolean; range?: boolean; exemplar?: boolean;
}
type Of<Options, Custom> = Plain<Omit<Panel, "options" | "fieldConfig" | "targets">> & {
  options?: Plain<Options>; targets?: Plain<Query>[];
  fieldConfig?: Plain<Omit<NonNullable<Panel["fieldConfig"]>, "defaults">> & {
    defaults: Plain<Omit<NonNullable<Panel["fieldConfig"]>["defaults"], "custom">> & { custom?: Plain<Custom> };
  };
};
type Nothing = Record<string, never>;
// What Grafana takes and the schema of today does not have: the query of an annotation as the data source
// reads it, and what the library of Grafana 11 always writes.
type Variable = Plain<NonNullable<NonNullable<Dashboard["templating"]>["list"]>[number]> & { auto?: boolean; auto_count?: number; auto_min?: string };
type Note = Plain<NonNullable<NonNullable<Dashboard["annotations"]>["list"]>[number]> & { expr?: string };
type Whole = Plain<Omit<Dashboard, "panels" | "templating" | "annotations">> & {
  templating?: { list?: Variable[] }; annotations?: { list?: Note[] };
};
type Footer = { footer?: { show: boolean; countRows?: boolean; reducer: string[] } };
`;
// The kind "state-timeline" is the folder "statetimeline".
const named = (kind) => kind.replaceAll("-", "");
const fields = new Set(["timeseries", "statetimeline", "heatmap", "table"]);
const typed = (panel) =>
  panel.type === "row" ? "Plain<RowPanel>" : `Of<${named(panel.type)}.Options${panel.type === "table" ? " & Footer" : ""}, ${fields.has(named(panel.type)) ? `${named(panel.type)}.FieldConfig` : "Nothing"}>`;

function source(dashboard) {
  const { panels, ...rest } = dashboard;
  const used = [...new Set(panels.map((panel) => named(panel.type)))].filter((kind) => kind !== "row");
  return [
    head(used),
    `export const dashboard: Whole = ${JSON.stringify(rest, null, 1)};`,
    ...panels.map((panel, at) => `export const panel${at}: ${typed(panel)} = ${JSON.stringify(panel, null, 1)};`),
  ].join("\n");
}

const flags = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"];
const compile = (...names) => spawnSync(process.execPath, [compiler, ...flags, ...names.map((name) => resolve(place, name))], { encoding: "utf8", cwd: place });

const dashboards = files.map((file) => [basename(file, ".json"), JSON.parse(readFileSync(file, "utf8"))]);
for (const [name, dashboard] of dashboards) writeFileSync(resolve(place, `${name}.ts`), source(dashboard));
const checked = compile(...dashboards.map(([name]) => `${name}.ts`));
if (checked.status !== 0) {
  process.stderr.write(checked.stdout + checked.stderr);
  process.exit(1);
}

// One fault each, at the places where people make them.
const lines = (dashboard) => dashboard.panels.find((panel) => panel.type === "timeseries");
const controls = {
  "a text as the version of the schema": (it) => { it.schemaVersion = "41"; },
  "a misspelt title": (it) => { it.titel = it.title; delete it.title; },
  "an option that lines do not have": (it) => { lines(it).options.legendary = {}; },
  "a place of the legend that does not exist": (it) => { lines(it).options.legend.placement = "left"; },
  "a width of lines that is a text": (it) => { lines(it).fieldConfig.defaults.custom.lineWidth = "1"; },
  "a query without an expression by name": (it) => { lines(it).targets[0].expression = "up"; },
  "a refresh of a variable that does not exist": (it) => { it.templating.list.find((one) => one.type === "query").refresh = 7; },
};
const names = Object.entries(controls).map(([fault, make], at) => {
  const copy = structuredClone(dashboards[0][1]);
  make(copy);
  writeFileSync(resolve(place, `control${at}.ts`), source(copy));
  return [`control${at}.ts`, fault];
});
const refused = compile(...names.map(([name]) => name)).stdout;
const missed = names.filter(([name]) => !refused.includes(name)).map(([, fault]) => fault);
if (missed.length > 0) {
  console.error(`the types let through: ${missed.join("; ")}`);
  process.exit(1);
}
const version = JSON.parse(readFileSync(resolve(tools, "node_modules/@grafana/schema/package.json"), "utf8")).version;
console.log(`${dashboards.length} dashboards as @grafana/schema ${version} describes them; ${names.length} controls refused`);
