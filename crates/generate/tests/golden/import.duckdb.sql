-- DuckDB import of the package: every type
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

-- Odd-Type: 7 rows of 1 files
CREATE TABLE IF NOT EXISTS "odd_type" ("package_id" VARCHAR NOT NULL, "source_file" VARCHAR NOT NULL);
ALTER TABLE "odd_type" ADD COLUMN IF NOT EXISTS "time" TIMESTAMP_NS;
ALTER TABLE "odd_type" ADD COLUMN IF NOT EXISTS "pri_ce" DECIMAL(38,12);
ALTER TABLE "odd_type" ADD COLUMN IF NOT EXISTS "größe" VARCHAR;
ALTER TABLE "odd_type" ADD COLUMN IF NOT EXISTS "symbol" VARCHAR;
CREATE OR REPLACE TEMP TABLE pdp_checked AS SELECT error('the table odd_type has ' || column_name || ' as ' || data_type || ', this package needs '
  || wanted || ': import it into another schema')
  FROM duckdb_columns() JOIN (VALUES
    ('time', 'TIMESTAMP_NS'),
    ('pri_ce', 'DECIMAL(38,12)'),
    ('größe', 'VARCHAR'),
    ('symbol', 'VARCHAR')
  ) AS needed(name, wanted) ON column_name = name
  WHERE database_name = current_database() AND schema_name = current_schema() AND table_name = 'odd_type'
  AND data_type <> wanted;
DELETE FROM "odd_type" WHERE "package_id" = '0123456789abcdef0123456789abcdef';
INSERT INTO "odd_type" ("package_id", "source_file", "time", "pri_ce", "größe", "symbol")
SELECT '0123456789abcdef0123456789abcdef', source_file,
  pdp_time(trim(coalesce(v[1], v[2], v[3], v[4], v[5]))),
  nullif(trim(coalesce(v[6], v[7], v[8], v[9])), 'NaN')::DECIMAL(38,12),
  coalesce(v[10], v[11], v[12], v[13], v[14], v[15]),
  coalesce(coalesce(v[16], v[17], v[18], v[19], v[20]), file_symbol)
FROM (SELECT source_file, file_symbol, event_type,
  json_extract_string(record, ['/time', '/Time', '/TIME', '/payload/time', '/Payload/Time', '/ pri''ce"; --', '/ PRI''CE"; --', '/payload/ pri''ce"; --', '/Payload/ pri''ce"; --', '/Größe', '/größe', '/GRÖSSE', '/payload/Größe', '/payload/größe', '/Payload/Größe', '/symbol', '/Symbol', '/SYMBOL', '/payload/symbol', '/Payload/Symbol']) AS v,
  json_extract(record, []) AS j
FROM (
  SELECT 'data/a/AAPL/Odd-Type/it''s [1] {a}.csv' AS source_file, 'AAPL' AS file_symbol, NULL AS event_type, to_json("a row") AS record FROM read_csv('data/a/AAPL/Odd-Type/it''s [[]1] {a}.csv', auto_detect=false, header=true, delim='|', quote='"', escape='"', comment='#', null_padding=true, ignore_errors=true, parallel=false, columns={'time': 'VARCHAR', ' pri''ce"; --': 'VARCHAR', 'Größe': 'VARCHAR'}, compression='none') AS "a row"
));

-- Trade: 1025 rows of 3 files
CREATE TABLE IF NOT EXISTS "trade" ("package_id" VARCHAR NOT NULL, "source_file" VARCHAR NOT NULL);
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "timestamp" TIMESTAMP_NS;
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "symbol" VARCHAR;
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "type" VARCHAR;
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "payload_timestamp" TIMESTAMP_NS;
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "price" DECIMAL(38,12);
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "notional" DECIMAL(38,18);
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "weight" DECIMAL(38,18);
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "size" BIGINT;
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "order_id" UBIGINT;
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "ratio" DOUBLE;
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "live" BOOLEAN;
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "session_date" DATE;
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "sent_at" TIMESTAMP_NS;
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "conditions" JSON;
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "quote_bid" DECIMAL(38,12);
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "aggressor" JSON;
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "nothing" VARCHAR;
ALTER TABLE "trade" ADD COLUMN IF NOT EXISTS "package_id_2" VARCHAR;
CREATE OR REPLACE TEMP TABLE pdp_checked AS SELECT error('the table trade has ' || column_name || ' as ' || data_type || ', this package needs '
  || wanted || ': import it into another schema')
  FROM duckdb_columns() JOIN (VALUES
    ('timestamp', 'TIMESTAMP_NS'),
    ('symbol', 'VARCHAR'),
    ('type', 'VARCHAR'),
    ('payload_timestamp', 'TIMESTAMP_NS'),
    ('price', 'DECIMAL(38,12)'),
    ('notional', 'DECIMAL(38,18)'),
    ('weight', 'DECIMAL(38,18)'),
    ('size', 'BIGINT'),
    ('order_id', 'UBIGINT'),
    ('ratio', 'DOUBLE'),
    ('live', 'BOOLEAN'),
    ('session_date', 'DATE'),
    ('sent_at', 'TIMESTAMP_NS'),
    ('conditions', 'JSON'),
    ('quote_bid', 'DECIMAL(38,12)'),
    ('aggressor', 'JSON'),
    ('nothing', 'VARCHAR'),
    ('package_id_2', 'VARCHAR')
  ) AS needed(name, wanted) ON column_name = name
  WHERE database_name = current_database() AND schema_name = current_schema() AND table_name = 'trade'
  AND data_type <> wanted;
DELETE FROM "trade" WHERE "package_id" = '0123456789abcdef0123456789abcdef';
INSERT INTO "trade" ("package_id", "source_file", "timestamp", "symbol", "type", "payload_timestamp", "price", "notional", "weight", "size", "order_id", "ratio", "live", "session_date", "sent_at", "conditions", "quote_bid", "aggressor", "nothing", "package_id_2")
SELECT '0123456789abcdef0123456789abcdef', source_file,
  pdp_time(trim(coalesce(v[1], v[2], v[3], v[4], v[5]))),
  coalesce(coalesce(v[6], v[7], v[8], v[9], v[10]), file_symbol),
  CASE WHEN coalesce(v[11], v[12], v[13], v[14], v[15]) IS NULL THEN 'Trade' WHEN regexp_full_match(coalesce(v[11], v[12], v[13], v[14], v[15]), '[0-9]+') OR lower(coalesce(v[11], v[12], v[13], v[14], v[15])) = lower(event_type) THEN coalesce(event_type, coalesce(v[11], v[12], v[13], v[14], v[15])) ELSE coalesce(v[11], v[12], v[13], v[14], v[15]) END,
  CASE WHEN coalesce(v[1], v[2], v[3]) IS NOT NULL THEN pdp_time(trim(coalesce(v[4], v[5], v[16], v[17], v[18]))) END,
  nullif(trim(coalesce(v[19], v[20], v[21], v[22], v[23], v[24], v[25], v[26])), 'NaN')::DECIMAL(38,12),
  nullif(trim(coalesce(v[27], v[28], v[29], v[30], v[31], v[32], v[33], v[34])), 'NaN')::DECIMAL(38,18),
  nullif(trim(coalesce(v[35], v[36], v[37], v[38], v[39], v[40], v[41], v[42])), 'NaN')::DECIMAL(38,18),
  trim(coalesce(v[43], v[44], v[45], v[46], v[47], v[48], v[49], v[50]))::BIGINT,
  trim(coalesce(v[51], v[52], v[53], v[54], v[55], v[56], v[57], v[58], v[59], v[60]))::UBIGINT,
  trim(coalesce(v[61], v[62], v[63], v[64], v[65]))::DOUBLE,
  trim(coalesce(v[66], v[67], v[68], v[69], v[70]))::BOOLEAN,
  "left"(trim(coalesce(v[71], v[72], v[73], v[74], v[75], v[76])), 10)::DATE,
  CASE WHEN regexp_full_match(trim(coalesce(v[77], v[78], v[79], v[80], v[81], v[82])), '-?[0-9.]+') THEN pdp_count(trim(coalesce(v[77], v[78], v[79], v[80], v[81], v[82])), 1000) ELSE pdp_time(trim(coalesce(v[77], v[78], v[79], v[80], v[81], v[82]))) END,
  CASE WHEN coalesce(v[83], v[84], v[85], v[86], v[87], v[88], v[89], v[90]) IS NOT NULL THEN coalesce(j[1], j[2], j[3], j[4], j[5], j[6], j[7], j[8]) END,
  nullif(trim(coalesce(v[91], v[92], v[93], v[94], v[95], v[96], v[97], v[98], v[99], v[100], v[101], v[102], v[103], v[104])), 'NaN')::DECIMAL(38,12),
  CASE WHEN coalesce(v[105], v[106], v[107], v[108], v[109], v[110], v[111], v[112]) IS NOT NULL THEN coalesce(j[9], j[10], j[11], j[12], j[13], j[14], j[15], j[16]) END,
  coalesce(v[113], v[114], v[115], v[116], v[117]),
  coalesce(v[118], v[119], v[120], v[121], v[122])
FROM (SELECT source_file, file_symbol, event_type,
  json_extract_string(pdp_exact(record), ['/timestamp', '/Timestamp', '/TIMESTAMP', '/payload/timestamp', '/Payload/Timestamp', '/symbol', '/Symbol', '/SYMBOL', '/payload/symbol', '/Payload/Symbol', '/type', '/Type', '/TYPE', '/payload/type', '/Payload/Type', '/payload.timestamp', '/Payload.timestamp', '/PAYLOAD.TIMESTAMP', '/payload/price', '/Payload/Price', '/payload.price', '/Payload.price', '/PAYLOAD.PRICE', '/price', '/Price', '/PRICE', '/payload/notional', '/Payload/Notional', '/payload.notional', '/Payload.notional', '/PAYLOAD.NOTIONAL', '/notional', '/Notional', '/NOTIONAL', '/payload/weight', '/Payload/Weight', '/payload.weight', '/Payload.weight', '/PAYLOAD.WEIGHT', '/weight', '/Weight', '/WEIGHT', '/payload/size', '/Payload/Size', '/payload.size', '/Payload.size', '/PAYLOAD.SIZE', '/size', '/Size', '/SIZE', '/payload/orderId', '/Payload/OrderId', '/payload.orderId', '/Payload.orderId', '/payload.orderid', '/PAYLOAD.ORDERID', '/orderId', '/OrderId', '/orderid', '/ORDERID', '/ratio', '/Ratio', '/RATIO', '/payload/ratio', '/Payload/Ratio', '/live', '/Live', '/LIVE', '/payload/live', '/Payload/Live', '/sessionDate', '/SessionDate', '/sessiondate', '/SESSIONDATE', '/payload/sessionDate', '/Payload/SessionDate', '/sentAt', '/SentAt', '/sentat', '/SENTAT', '/payload/sentAt', '/Payload/SentAt', '/payload/conditions', '/Payload/Conditions', '/payload.conditions', '/Payload.conditions', '/PAYLOAD.CONDITIONS', '/conditions', '/Conditions', '/CONDITIONS', '/payload/quote/bid', '/Payload/Quote/Bid', '/payload.quote/bid', '/Payload.quote/Bid', '/payload/quote.bid', '/Payload/Quote.bid', '/payload.quote.bid', '/Payload.quote.bid', '/PAYLOAD.QUOTE.BID', '/quote/bid', '/Quote/Bid', '/quote.bid', '/Quote.bid', '/QUOTE.BID', '/payload/aggressor', '/Payload/Aggressor', '/payload.aggressor', '/Payload.aggressor', '/PAYLOAD.AGGRESSOR', '/aggressor', '/Aggressor', '/AGGRESSOR', '/nothing', '/Nothing', '/NOTHING', '/payload/nothing', '/Payload/Nothing', '/package_id', '/Package_id', '/PACKAGE_ID', '/payload/package_id', '/Payload/Package_id']) AS v,
  json_extract(record, ['/payload/conditions', '/Payload/Conditions', '/payload.conditions', '/Payload.conditions', '/PAYLOAD.CONDITIONS', '/conditions', '/Conditions', '/CONDITIONS', '/payload/aggressor', '/Payload/Aggressor', '/payload.aggressor', '/Payload.aggressor', '/PAYLOAD.AGGRESSOR', '/aggressor', '/Aggressor', '/AGGRESSOR']) AS j
FROM (
  SELECT 'data/a/AAPL/Trade/1.jsonl' AS source_file, 'AAPL' AS file_symbol, 'Trade' AS event_type, line AS record FROM read_csv('data/a/AAPL/Trade/1.jsonl', auto_detect=false, header=false, delim=chr(1), quote='', escape='', comment='', strict_mode=false, max_line_size=16777216, columns={'line': 'VARCHAR'}, compression='none') WHERE CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END
  UNION ALL
  SELECT 'data/a/AAPL/Trade/2.jsonl.zst' AS source_file, 'O''NEIL' AS file_symbol, 'Trade' AS event_type, line AS record FROM read_csv('data/a/AAPL/Trade/2.jsonl.zst', auto_detect=false, header=false, delim=chr(1), quote='', escape='', comment='', strict_mode=false, max_line_size=16777216, columns={'line': 'VARCHAR'}, compression='gzip') WHERE CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END
  UNION ALL
  SELECT 'data/a/AAPL/Trade/3.parquet' AS source_file, 'AAPL' AS file_symbol, NULL AS event_type, to_json("a row") AS record FROM (SELECT * FROM read_parquet('data/a/AAPL/Trade/3.parquet')) AS "a row"
));

-- What was loaded against what the manifest says.
CREATE OR REPLACE TEMP TABLE pdp_loaded AS
SELECT 'odd_type' AS "table", count(*) AS "rows", 7 AS "manifest",
  count(*) - count("pri_ce") + count(*) - count("symbol") AS "values_missing"
  FROM "odd_type" WHERE "package_id" = '0123456789abcdef0123456789abcdef'
UNION ALL
SELECT 'trade' AS "table", count(*) AS "rows", 1025 AS "manifest",
  count(*) - count("symbol") + count(*) - count("type") + count(*) - count("price") + count(*) - count("size") AS "values_missing"
  FROM "trade" WHERE "package_id" = '0123456789abcdef0123456789abcdef'
;
CREATE OR REPLACE TEMP TABLE pdp_checked AS SELECT error("table" || ': ' || "rows" || ' rows were loaded, the manifest says ' || "manifest")
  FROM pdp_loaded WHERE "rows" <> "manifest";
CREATE OR REPLACE TEMP TABLE pdp_checked AS SELECT error("table" || ': ' || "values_missing" || ' values are missing that the manifest says every record has')
  FROM pdp_loaded WHERE "values_missing" > 0;
COMMIT;
RESET schema;
DROP TABLE pdp_checked;
SELECT 'data/a/AAPL/AggregateBar/4.fxd: fxd: convert it first, pdp fxd convert' AS "NOT LOADED";
SELECT 'data/a/AAPL/Trade/5.dbn.zst: dbn: use databento.DBNStore.from_file(path).to_df()' AS "NOT LOADED";
SELECT "table", "rows", "manifest" FROM pdp_loaded;
