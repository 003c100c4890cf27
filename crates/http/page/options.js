// The options of a package that few need.

import { h } from "./dom.js";
import { field, lines, select, text, tick } from "./fields.js";
import { Problem } from "./api.js";

const SCRIPTS = [["duckdb", "DuckDB"], ["sqlite", "SQLite"], ["postgresql", "PostgreSQL"], ["clickhouse", "ClickHouse"], ["spark", "Spark"]];
const PROFILES = [["bagit", "BagIt"], ["frictionless", "Frictionless"], ["ro-crate", "RO-Crate"]];
const UNITS = [["1000000", "MB"], ["1000000000", "GB"], ["1048576", "MiB"], ["1073741824", "GiB"]];

/** The fields, and `values` for what they say. */
export function moreOptions() {
  const compression = select([["balanced", "Balanced"], ["none", "None"], ["fast", "Fast"], ["maximum", "Maximum"]]);
  const layout = select([["ByDate", "By date"], ["BySymbol", "By symbol"], ["ByType", "By event type"], ["Flat", "Flat"]]);
  const quality = tick("Quality report", { checked: true });
  const loaders = tick("Loader scripts", { checked: true });
  const dictionary = tick("Data dictionary", { checked: true });
  const verify = tick("Read the finished package back", { checked: true });
  const scripts = group("Import scripts for", SCRIPTS);
  const profiles = group("Keep to other standards too", PROFILES);
  const tags = text();
  const metadata = h("textarea", { rows: 2, spellcheck: "false", placeholder: "license=CC-BY-4.0" });
  const createdAt = text({ placeholder: "2024-02-01T12:00:00Z", pattern: "\\d{4}-\\d{2}-\\d{2}[Tt ]\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?([Zz]|[+\\-]\\d{2}:\\d{2})", title: "A time such as 2024-02-01T12:00:00Z" });
  const size = h("input", { type: "number", id: "part-size", "aria-describedby": "part-size-hint", min: "1", step: "any", inputmode: "decimal" });
  const unit = select(UNITS, { "aria-label": "Unit of the size" });
  const overwrite = tick("Replace a package of the same file name");
  const skip = tick("Leave out files that cannot be read", { hint: "Without it, one such file ends the creation." });

  const partSize = h("div", { class: "field" }, h("label", { for: "part-size" }, "Split into parts of at most"),
    h("div", { class: "with-unit" }, size, unit), h("p", { class: "hint", id: "part-size-hint" }, "Each part is a package. Empty for one package."));

  const node = h("div", { class: "fields" },
    field("Compression", compression), field("Arrangement of the data files", layout),
    partSize,
    h("fieldset", null, h("legend", null, "Put in"), h("div", { class: "ticks" }, quality.node, loaders.node, dictionary.node)),
    h("fieldset", null, h("legend", null, "While it is made"), h("div", { class: "ticks" }, verify.node, overwrite.node, skip.node)),
    h("div", { class: "fields" }, scripts.node, profiles.node),
    field("Tags", tags, "Words to find it by, with commas between them."),
    field("Time of creation", createdAt, "The time that the package bears, for reproducible packages. Empty for now."),
    field("Metadata", metadata, "A key=value on each line, kept in the manifest. The standards above take the licence from license=."));

  return {
    node,
    values: () => ({
      compressionLevel: compression.value,
      internalLayout: layout.value,
      includeQualityReport: quality.box.checked,
      includeLoaderScripts: loaders.box.checked,
      includeDataDictionary: dictionary.box.checked,
      verifyChecksums: verify.box.checked,
      importScripts: scripts.values(),
      profiles: profiles.values(),
      tags: tags.value.split(",").map((tag) => tag.trim()).filter(Boolean),
      customMetadata: pairs(metadata.value),
      createdAt: createdAt.value.trim(),
      maxSizeBytes: size.value ? Math.round(Number(size.value) * Number(unit.value)) : null,
      overwrite: overwrite.box.checked,
      skipUnreadable: skip.box.checked,
    }),
  };
}

function group(legend, options) {
  const ticks = options.map(([value, label]) => tick(label, { value }));
  return {
    node: h("fieldset", null, h("legend", null, legend), h("div", { class: "ticks row" }, ticks.map((it) => it.node))),
    values: () => ticks.filter((it) => it.box.checked).map((it) => it.box.value),
  };
}

function pairs(value) {
  const found = lines(value).map((line) => {
    const at = line.indexOf("=");
    if (at < 1) throw new Problem({ title: "The metadata cannot be understood", detail: `There is no key=value in "${line}".` });
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  return Object.fromEntries(found);
}
