-- PostgreSQL import of the package: every type
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

-- Odd-Type: 7 rows of 1 files
CREATE TABLE IF NOT EXISTS "odd_type" ("package_id" TEXT NOT NULL, "source_file" TEXT NOT NULL);
ALTER TABLE "odd_type"
  ADD COLUMN IF NOT EXISTS "time" TIMESTAMPTZ,
  ADD COLUMN IF NOT EXISTS "time_ns" BIGINT,
  ADD COLUMN IF NOT EXISTS "pri_ce" NUMERIC,
  ADD COLUMN IF NOT EXISTS "größe" TEXT,
  ADD COLUMN IF NOT EXISTS "symbol" TEXT;
CREATE INDEX IF NOT EXISTS "odd_type_package_id" ON "odd_type" ("package_id");
DELETE FROM "odd_type" WHERE "package_id" = '0123456789abcdef0123456789abcdef';
\copy "odd_type" ("package_id", "source_file", "time", "time_ns", "pri_ce", "größe", "symbol") FROM PROGRAM '"${PYTHON:-python3}" "${PDP_SCRIPTS:-scripts}/import_rows.py" odd_type'

-- Trade: 1025 rows of 3 files
CREATE TABLE IF NOT EXISTS "trade" ("package_id" TEXT NOT NULL, "source_file" TEXT NOT NULL);
ALTER TABLE "trade"
  ADD COLUMN IF NOT EXISTS "timestamp" TIMESTAMPTZ,
  ADD COLUMN IF NOT EXISTS "timestamp_ns" BIGINT,
  ADD COLUMN IF NOT EXISTS "symbol" TEXT,
  ADD COLUMN IF NOT EXISTS "type" TEXT,
  ADD COLUMN IF NOT EXISTS "payload_timestamp" TIMESTAMPTZ,
  ADD COLUMN IF NOT EXISTS "payload_timestamp_ns" BIGINT,
  ADD COLUMN IF NOT EXISTS "price" NUMERIC,
  ADD COLUMN IF NOT EXISTS "notional" NUMERIC,
  ADD COLUMN IF NOT EXISTS "weight" NUMERIC,
  ADD COLUMN IF NOT EXISTS "size" BIGINT,
  ADD COLUMN IF NOT EXISTS "order_id" NUMERIC,
  ADD COLUMN IF NOT EXISTS "ratio" DOUBLE PRECISION,
  ADD COLUMN IF NOT EXISTS "live" BOOLEAN,
  ADD COLUMN IF NOT EXISTS "session_date" DATE,
  ADD COLUMN IF NOT EXISTS "sent_at" TIMESTAMPTZ,
  ADD COLUMN IF NOT EXISTS "sent_at_ns" BIGINT,
  ADD COLUMN IF NOT EXISTS "conditions" JSONB,
  ADD COLUMN IF NOT EXISTS "quote_bid" NUMERIC,
  ADD COLUMN IF NOT EXISTS "aggressor" JSONB,
  ADD COLUMN IF NOT EXISTS "nothing" TEXT,
  ADD COLUMN IF NOT EXISTS "package_id_2" TEXT;
CREATE INDEX IF NOT EXISTS "trade_package_id" ON "trade" ("package_id");
DELETE FROM "trade" WHERE "package_id" = '0123456789abcdef0123456789abcdef';
\copy "trade" ("package_id", "source_file", "timestamp", "timestamp_ns", "symbol", "type", "payload_timestamp", "payload_timestamp_ns", "price", "notional", "weight", "size", "order_id", "ratio", "live", "session_date", "sent_at", "sent_at_ns", "conditions", "quote_bid", "aggressor", "nothing", "package_id_2") FROM PROGRAM '"${PYTHON:-python3}" "${PDP_SCRIPTS:-scripts}/import_rows.py" trade'

-- What was loaded against what the manifest says.
CREATE TEMPORARY TABLE pdp_loaded ON COMMIT DROP AS
SELECT 'odd_type' AS "table", count(*) AS "rows", 7 AS "manifest",
  count(*) - count("pri_ce") + count(*) - count("symbol") AS "values_missing"
  FROM "odd_type" WHERE "package_id" = '0123456789abcdef0123456789abcdef'
UNION ALL
SELECT 'trade' AS "table", count(*) AS "rows", 1025 AS "manifest",
  count(*) - count("symbol") + count(*) - count("type") + count(*) - count("price") + count(*) - count("size") AS "values_missing"
  FROM "trade" WHERE "package_id" = '0123456789abcdef0123456789abcdef'
;
SELECT "table", "rows", "manifest" FROM pdp_loaded;
SELECT 'data/a/AAPL/AggregateBar/4.fxd: fxd: convert it first, pdp fxd convert' AS "NOT LOADED";
SELECT 'data/a/AAPL/Trade/5.dbn.zst: dbn: use databento.DBNStore.from_file(path).to_df()' AS "NOT LOADED";
DO $pdp$
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
