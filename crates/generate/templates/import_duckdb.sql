-- DuckDB import of the package: {{ name }}
--
--   duckdb market.duckdb -f scripts/import_duckdb.sql             from the package's root
--
-- or from a client, such as Python: duckdb.connect("market.duckdb").execute(open("scripts/import_duckdb.sql").read())
-- Needs DuckDB 1.2 or newer with its json and parquet extensions, which it brings along. Paths are relative: run it
-- where the folder data is.
--
-- One table for each event type in the schema market_data; for another schema, change the two lines below BEGIN.
-- Columns are the manifest's fields in snake_case, then: package_id and source_file say where a row is from; times are
-- TIMESTAMP_NS in UTC, all nanoseconds kept. The year 1, with which collectors mean "not set", is NULL. Decimals are
-- exact, with room for other packages. Lists, records and values of several types are JSON.
--
-- A file whose compression is torn cannot be read by DuckDB and fails the import.
-- All or nothing: one transaction, which ends with a comparison of the rows with the manifest's counts. A second run
-- replaces this package's rows; rows of other packages stay.

BEGIN TRANSACTION;
CREATE SCHEMA IF NOT EXISTS market_data;
SET schema = 'market_data';

-- A time in two halves: up to the second in its zone, and the digits behind.
CREATE OR REPLACE TEMP MACRO pdp_join(second, fraction, zone) AS make_timestamp_ns(
  epoch_us((CASE WHEN length(second) = 10 THEN second || 'T00:00:00' ELSE second END
    || CASE WHEN zone = '' THEN 'Z' ELSE zone END)::TIMESTAMPTZ) * 1000
  + "left"(rpad(fraction, 9, '0'), 9)::BIGINT);
-- A count of so many nanoseconds since 1970.
CREATE OR REPLACE TEMP MACRO pdp_count(t, nanos) AS make_timestamp_ns((t::DECIMAL(38,9) * nanos)::BIGINT);
-- ISO 8601, YYYYMMDD HHMMSS with an optional millisecond, or a count since 1970 whose unit shows in its size.
CREATE OR REPLACE TEMP MACRO pdp_time(t) AS CASE
  WHEN t IS NULL OR t LIKE '0001-01-01%' THEN NULL
  WHEN regexp_full_match(t, '[0-9]{8} [0-9]{6}(?:[0-9]{3})?') THEN pdp_join(
    t[1:4] || '-' || t[5:6] || '-' || t[7:8] || 'T' || t[10:11] || ':' || t[12:13] || ':' || t[14:15], t[16:18], '')
  WHEN NOT regexp_full_match(t, '[0-9]+(?:[.][0-9]+)?') THEN pdp_join(
    regexp_extract(t, '^.{10}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?'),
    regexp_extract(t, '[.,]([0-9]+)', 1),
    upper(regexp_extract(t, ':[^ ]* *((?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?))$', 1)))
  WHEN t::DOUBLE >= 1e16 THEN pdp_count(t, 1)
  WHEN t::DOUBLE >= 1e13 THEN pdp_count(t, 1000)
  WHEN t::DOUBLE >= 1e10 THEN pdp_count(t, 1000000)
  WHEN t::DOUBLE >= 1e8 THEN pdp_count(t, 1000000000)
  ELSE error(t || ' is no time') END;
-- JSON with its numbers as texts, for numbers lose digits beyond the 17th when JSON is read. The 0 behind the end lets
-- the pattern find a number after whatever comes last, so that it never starts within a text.
CREATE OR REPLACE TEMP MACRO pdp_exact(j) AS "left"(regexp_replace(j || '0',
  '((?:"(?:[^"\\]|\\.)*"|[^"0-9-])*)(-?[0-9]+(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?)', '\1"\2"', 'g'), -3);
{% for table in tables %}
-- {{ table.event_type }}: {{ table.rows }} rows of {{ table.files | length }} files
CREATE TABLE IF NOT EXISTS "{{ table.name }}" ("package_id" VARCHAR NOT NULL, "source_file" VARCHAR NOT NULL);
{% for column in table.columns %}ALTER TABLE "{{ table.name }}" ADD COLUMN IF NOT EXISTS "{{ column.name }}" {{ column.sql }};
{% endfor %}CREATE OR REPLACE TEMP TABLE pdp_checked AS SELECT error('the table {{ table.name }} has ' || column_name || ' as ' || data_type || ', this package needs '
  || wanted || ': import it into another schema')
  FROM duckdb_columns() JOIN (VALUES
{% for column in table.columns %}    ('{{ column.name }}', '{{ column.sql }}'){% if not loop.last %},{% endif %}
{% endfor %}  ) AS needed(name, wanted) ON column_name = name
  WHERE database_name = current_database() AND schema_name = current_schema() AND table_name = '{{ table.name }}'
  AND data_type <> wanted;
DELETE FROM "{{ table.name }}" WHERE "package_id" = {{ package_id }};
{% for sources in table.sources %}INSERT INTO "{{ table.name }}" ("package_id", "source_file"{% for column in table.columns %}, "{{ column.name }}"{% endfor %})
SELECT {{ package_id }}, source_file{% for column in table.columns %},
  {{ column.value }}{% endfor %}
FROM (SELECT source_file, file_symbol, event_type,
  json_extract_string({% if table.exact %}pdp_exact(record){% else %}record{% endif %}, [{{ table.texts }}]) AS v,
  json_extract(record, [{{ table.jsons }}]) AS j
FROM (
{% for source in sources %}  {{ source }}{% if not loop.last %}
  UNION ALL{% endif %}
{% endfor %}));
{% endfor %}{% endfor %}
-- What was loaded against what the manifest says.
CREATE OR REPLACE TEMP TABLE pdp_loaded AS
{% for table in tables %}SELECT '{{ table.name }}' AS "table", count(*) AS "rows", {{ table.rows }} AS "manifest",
  {{ table.missing }} AS "values_missing"
  FROM "{{ table.name }}" WHERE "package_id" = {{ package_id }}
{% if not loop.last %}UNION ALL
{% endif %}{% else %}SELECT NULL AS "table", 0 AS "rows", 0 AS "manifest", 0 AS "values_missing" WHERE false
{% endfor %};
CREATE OR REPLACE TEMP TABLE pdp_checked AS SELECT error("table" || ': ' || "rows" || ' rows were loaded, the manifest says ' || "manifest")
  FROM pdp_loaded WHERE "rows" <> "manifest";
CREATE OR REPLACE TEMP TABLE pdp_checked AS SELECT error("table" || ': ' || "values_missing" || ' values are missing that the manifest says every record has')
  FROM pdp_loaded WHERE "values_missing" > 0;
COMMIT;
RESET schema;
DROP TABLE pdp_checked;
{% for text in left_out %}SELECT {{ text }} AS "NOT LOADED";
{% endfor %}SELECT "table", "rows", "manifest" FROM pdp_loaded;
