-- PostgreSQL import of the package: {{ name }}
--
--   psql -d DATABASE -f scripts/import_postgresql.sql             from the package's root
--   psql -d DATABASE -v schema=OTHER -f scripts/import_postgresql.sql
--
-- Needs PostgreSQL 11, Python 3.9 beside psql (python3, or what the environment variable PYTHON names), for zstd files
-- its package zstandard and for Parquet pyarrow: psql runs scripts/import_rows.py and sends the server what it writes.
-- Where the scripts lie elsewhere, such as packages/ID/scripts after an import, PDP_SCRIPTS says where.
--
-- One table for each event type in the schema market_data (option schema). Columns are the manifest's fields in
-- snake_case, then: package_id and source_file say where a row is from; a time t has microseconds, as PostgreSQL keeps
-- them, and t_ns beside it has the nanoseconds since 1970. The year 1, with which collectors mean "not set", is NULL.
-- Lists, records and values of several types are JSONB.
--
-- All or nothing: one transaction, which ends with a comparison of the rows with the manifest's counts. A second run
-- replaces this package's rows; rows of other packages stay.

\set ON_ERROR_STOP on
\if :{?schema}
\else
  \set schema market_data
\endif

BEGIN;
SET LOCAL client_min_messages TO warning;
CREATE SCHEMA IF NOT EXISTS :"schema";
SET LOCAL search_path TO :"schema";
SET LOCAL TimeZone TO 'UTC';
SET LOCAL client_encoding TO 'UTF8';
{% for table in tables %}
-- {{ table.event_type }}: {{ table.rows }} rows of {{ table.files | length }} files
CREATE TABLE IF NOT EXISTS "{{ table.name }}" ("package_id" TEXT NOT NULL, "source_file" TEXT NOT NULL);
ALTER TABLE "{{ table.name }}"
{% for column in table.columns %}  ADD COLUMN IF NOT EXISTS "{{ column.name }}" {{ column.sql }}{% if column.companion %},
  ADD COLUMN IF NOT EXISTS "{{ column.companion }}" BIGINT{% endif %}{% if loop.last %};{% else %},{% endif %}
{% endfor %}CREATE INDEX IF NOT EXISTS "{{ table.name }}_package_id" ON "{{ table.name }}" ("package_id");
DELETE FROM "{{ table.name }}" WHERE "package_id" = {{ package_id }};
\copy "{{ table.name }}" ("package_id", "source_file"{% for column in table.columns %}, "{{ column.name }}"{% if column.companion %}, "{{ column.companion }}"{% endif %}{% endfor %}) FROM PROGRAM '"${PYTHON:-python3}" "${PDP_SCRIPTS:-scripts}/import_rows.py" {{ table.name }}'
{% endfor %}
-- What was loaded against what the manifest says.
CREATE TEMPORARY TABLE pdp_loaded ON COMMIT DROP AS
{% for table in tables %}SELECT '{{ table.name }}' AS "table", count(*) AS "rows", {{ table.rows }} AS "manifest",
  {{ table.missing }} AS "values_missing"
  FROM "{{ table.name }}" WHERE "package_id" = {{ package_id }}
{% if not loop.last %}UNION ALL
{% endif %}{% else %}SELECT NULL::text AS "table", 0 AS "rows", 0 AS "manifest", 0 AS "values_missing" WHERE false
{% endfor %};
SELECT "table", "rows", "manifest" FROM pdp_loaded;
{% for text in left_out %}SELECT {{ text }} AS "NOT LOADED";
{% endfor %}DO $pdp$
DECLARE
  wrong record;
BEGIN
  FOR wrong IN SELECT * FROM pdp_loaded LOOP
    IF wrong."rows" <> wrong."manifest" THEN
      RAISE EXCEPTION '%: % rows were loaded, the manifest says %', wrong."table", wrong."rows", wrong."manifest";
    END IF;
    IF wrong."values_missing" > 0 THEN
      RAISE EXCEPTION '%: % values are missing that the manifest says every record has', wrong."table", wrong."values_missing";
    END IF;
  END LOOP;
END
$pdp$;
COMMIT;
