-- ClickHouse import of the package: every type
--
--   clickhouse local --path market_data.clickhouse --queries-file scripts/import_clickhouse.sql
--
-- from the package's root; needs ClickHouse 24.3 or newer. A server reads files below its user_files_path only: unpack
-- the package there, so that the folder data is in user_files, and run it with clickhouse client --queries-file.
--
-- One table for each event type in the database market_data; for another, change the two lines below. Columns are the
-- manifest's fields in snake_case, then: package_id and source_file say where a row is from; times are
-- DateTime64(9, 'UTC'), all nanoseconds kept. The year 1, with which collectors mean "not set", is NULL. Decimals are
-- exact, with room for other packages. Lists, records and values of several types are text of JSON.
--
-- A file whose compression is torn, and a quoted field of CSV that goes on over several lines, cannot be read here and
-- fail the import.
--
-- ClickHouse has no transactions. Everything is loaded into tables beside the others, whose names end in __loading, and
-- compared with the manifest's counts; only then does each take the place of this package's partition, at once. A second
-- run replaces this package's rows; rows of other packages stay.

CREATE DATABASE IF NOT EXISTS market_data;
USE market_data;
SET session_timezone = 'UTC';
SET short_circuit_function_evaluation = 'enable';
SET output_format_json_quote_64bit_integers = 0;
SET output_format_json_quote_decimals = 1;
SET output_format_json_quote_denormals = 1;

-- Odd-Type: 7 rows of 1 files
CREATE TABLE IF NOT EXISTS `odd_type` (`package_id` String, `source_file` String, `symbol` String)
  ENGINE = MergeTree PARTITION BY `package_id` ORDER BY (`symbol`, `source_file`);
ALTER TABLE `odd_type`
  ADD COLUMN IF NOT EXISTS `time` Nullable(DateTime64(9, 'UTC')),
  ADD COLUMN IF NOT EXISTS `pri_ce` Nullable(Decimal(38, 12)),
  ADD COLUMN IF NOT EXISTS `größe` Nullable(String),
  ADD COLUMN IF NOT EXISTS `symbol` String;
SELECT throwIf(type != wanted, 'the table odd_type has columns of other types: import it into another database') FROM system.columns
  INNER JOIN (SELECT * FROM VALUES('wanted_name String, wanted String',
    ('time', 'Nullable(DateTime64(9, \'UTC\'))'),
    ('pri_ce', 'Nullable(Decimal(38, 12))'),
    ('größe', 'Nullable(String)'),
    ('symbol', 'String')
  )) AS needed ON name = wanted_name WHERE database = currentDatabase() AND table = 'odd_type' FORMAT Null;
DROP TABLE IF EXISTS `odd_type__loading` SYNC;
CREATE TABLE `odd_type__loading` AS `odd_type`;
INSERT INTO `odd_type__loading` (`package_id`, `source_file`, `time`, `pri_ce`, `größe`, `symbol`)
WITH
  -- What JSON says as text, or nothing; the same as JSON.
  (x -> if(x IN ('', 'null'), NULL, if(startsWith(x, '"'), JSONExtractString(x), x))) AS pdp_text,
  (x -> if(x IN ('', 'null'), NULL, x)) AS pdp_json,
  -- The fields of a record by lower-case name.
  (x -> CAST(arrayMap(f -> (lower(trimBoth(f.1)), f.2), JSONExtractKeysAndValuesRaw(x)), 'Map(String, String)')) AS pdp_fields,
  (x -> multiIf(x IS NULL, NULL, lower(trimBoth(x)) IN ('true', '1'), true, false)) AS pdp_boolean,
  ((x, known) -> multiIf(x IS NULL, 'Odd-Type', known != '' AND (match(x, '^[0-9]+$') OR lower(x) = lower(known)), known, x)) AS pdp_type,
  -- A count of so many nanoseconds since 1970 (0: its unit shows in its size), YYYYMMDD HHMMSS with an optional
  -- millisecond, or ISO 8601.
  ((x, nanos) -> multiIf(
    x IS NULL OR startsWith(x, '0001-01-01'), NULL,
    match(x, '^-?[0-9]+([.][0-9]+)?$'), fromUnixTimestamp64Nano(toInt64(toDecimal128OrNull(x, 9) * multiIf(nanos > 0, nanos, toFloat64OrNull(x) >= 1e16, 1, toFloat64OrNull(x) >= 1e13, 1000, toFloat64OrNull(x) >= 1e10, 1000000, 1000000000 + throwIf(toFloat64OrNull(x) < 1e8, 'a number is no time'))), 'UTC'),
    match(x, '^[0-9]{8} [0-9]{6}([0-9]{3})?$'), parseDateTime64BestEffortOrNull(concat(substring(x, 1, 4), '-', substring(x, 5, 2), '-', substring(x, 7, 2), ' ', substring(x, 10, 2), ':', substring(x, 12, 2), ':', substring(x, 14, 2), '.', if(length(x) > 15, substring(x, 16, 3), '0')), 9, 'UTC'),
    parseDateTime64BestEffortOrNull(x, 9, 'UTC'))) AS pdp_time,
  pdp_fields(record) AS m,
  pdp_fields(m['payload']) AS p
SELECT '0123456789abcdef0123456789abcdef', source_file,
  pdp_time(trimBoth(coalesce(pdp_text(m['time']), pdp_text(p['time']))), 0),
  toDecimal128(nullIf(trimBoth(coalesce(pdp_text(m['pri\'ce"; --']), pdp_text(p['pri\'ce"; --']))), 'nan'), 12),
  coalesce(pdp_text(m['größe']), pdp_text(p['größe'])),
  coalesce(coalesce(pdp_text(m['symbol']), pdp_text(p['symbol'])), file_symbol)
FROM (
  SELECT 'data/a/AAPL/Odd-Type/it\'s [1] {a}.csv' AS source_file, 'AAPL' AS file_symbol, '' AS event_type, toJSONString(mapFromArrays(['time', 'pri\'ce"; --', 'Größe'], arrayMap(x -> if(trimBoth(x) = '', NULL, x), arrayResize(fields, 3, '')))) AS record FROM (SELECT _path, if(position(bare, '"') = 0, splitByString('|', bare), arrayMap(x -> if(x[1] != '', replaceAll(x[1], '""', '"'), x[2]), extractAllGroupsVertical(concat('|', bare), '\\x{7c}(?:"((?:[^"]|"")*)"|([^"\\x{7c}]*))'))) AS fields FROM (SELECT * FROM (SELECT _path, replaceRegexpOne(line, '^\xEF\xBB\xBF|\r$', '') AS bare FROM file('data/a/AAPL/Odd-Type/it\'s [1] ?a?.csv', 'LineAsString', 'line String', 'none')) WHERE bare != '' AND NOT startsWith(bare, '#') LIMIT 9223372036854775807 OFFSET 1)) WHERE length(fields) <= 3 AND endsWith(_path, 'data/a/AAPL/Odd-Type/it\'s [1] {a}.csv')
);

-- Trade: 1025 rows of 3 files
CREATE TABLE IF NOT EXISTS `trade` (`package_id` String, `source_file` String, `symbol` String)
  ENGINE = MergeTree PARTITION BY `package_id` ORDER BY (`symbol`, `source_file`);
ALTER TABLE `trade`
  ADD COLUMN IF NOT EXISTS `timestamp` Nullable(DateTime64(9, 'UTC')),
  ADD COLUMN IF NOT EXISTS `symbol` String,
  ADD COLUMN IF NOT EXISTS `type` Nullable(String),
  ADD COLUMN IF NOT EXISTS `payload_timestamp` Nullable(DateTime64(9, 'UTC')),
  ADD COLUMN IF NOT EXISTS `price` Nullable(Decimal(38, 12)),
  ADD COLUMN IF NOT EXISTS `notional` Nullable(Decimal(38, 18)),
  ADD COLUMN IF NOT EXISTS `weight` Nullable(Decimal(38, 18)),
  ADD COLUMN IF NOT EXISTS `size` Nullable(Int64),
  ADD COLUMN IF NOT EXISTS `order_id` Nullable(UInt64),
  ADD COLUMN IF NOT EXISTS `ratio` Nullable(Float64),
  ADD COLUMN IF NOT EXISTS `live` Nullable(Bool),
  ADD COLUMN IF NOT EXISTS `session_date` Nullable(Date32),
  ADD COLUMN IF NOT EXISTS `sent_at` Nullable(DateTime64(9, 'UTC')),
  ADD COLUMN IF NOT EXISTS `conditions` Nullable(String),
  ADD COLUMN IF NOT EXISTS `quote_bid` Nullable(Decimal(38, 12)),
  ADD COLUMN IF NOT EXISTS `aggressor` Nullable(String),
  ADD COLUMN IF NOT EXISTS `nothing` Nullable(String),
  ADD COLUMN IF NOT EXISTS `package_id_2` Nullable(String);
SELECT throwIf(type != wanted, 'the table trade has columns of other types: import it into another database') FROM system.columns
  INNER JOIN (SELECT * FROM VALUES('wanted_name String, wanted String',
    ('timestamp', 'Nullable(DateTime64(9, \'UTC\'))'),
    ('symbol', 'String'),
    ('type', 'Nullable(String)'),
    ('payload_timestamp', 'Nullable(DateTime64(9, \'UTC\'))'),
    ('price', 'Nullable(Decimal(38, 12))'),
    ('notional', 'Nullable(Decimal(38, 18))'),
    ('weight', 'Nullable(Decimal(38, 18))'),
    ('size', 'Nullable(Int64)'),
    ('order_id', 'Nullable(UInt64)'),
    ('ratio', 'Nullable(Float64)'),
    ('live', 'Nullable(Bool)'),
    ('session_date', 'Nullable(Date32)'),
    ('sent_at', 'Nullable(DateTime64(9, \'UTC\'))'),
    ('conditions', 'Nullable(String)'),
    ('quote_bid', 'Nullable(Decimal(38, 12))'),
    ('aggressor', 'Nullable(String)'),
    ('nothing', 'Nullable(String)'),
    ('package_id_2', 'Nullable(String)')
  )) AS needed ON name = wanted_name WHERE database = currentDatabase() AND table = 'trade' FORMAT Null;
DROP TABLE IF EXISTS `trade__loading` SYNC;
CREATE TABLE `trade__loading` AS `trade`;
INSERT INTO `trade__loading` (`package_id`, `source_file`, `timestamp`, `symbol`, `type`, `payload_timestamp`, `price`, `notional`, `weight`, `size`, `order_id`, `ratio`, `live`, `session_date`, `sent_at`, `conditions`, `quote_bid`, `aggressor`, `nothing`, `package_id_2`)
WITH
  -- What JSON says as text, or nothing; the same as JSON.
  (x -> if(x IN ('', 'null'), NULL, if(startsWith(x, '"'), JSONExtractString(x), x))) AS pdp_text,
  (x -> if(x IN ('', 'null'), NULL, x)) AS pdp_json,
  -- The fields of a record by lower-case name.
  (x -> CAST(arrayMap(f -> (lower(trimBoth(f.1)), f.2), JSONExtractKeysAndValuesRaw(x)), 'Map(String, String)')) AS pdp_fields,
  (x -> multiIf(x IS NULL, NULL, lower(trimBoth(x)) IN ('true', '1'), true, false)) AS pdp_boolean,
  ((x, known) -> multiIf(x IS NULL, 'Trade', known != '' AND (match(x, '^[0-9]+$') OR lower(x) = lower(known)), known, x)) AS pdp_type,
  -- A count of so many nanoseconds since 1970 (0: its unit shows in its size), YYYYMMDD HHMMSS with an optional
  -- millisecond, or ISO 8601.
  ((x, nanos) -> multiIf(
    x IS NULL OR startsWith(x, '0001-01-01'), NULL,
    match(x, '^-?[0-9]+([.][0-9]+)?$'), fromUnixTimestamp64Nano(toInt64(toDecimal128OrNull(x, 9) * multiIf(nanos > 0, nanos, toFloat64OrNull(x) >= 1e16, 1, toFloat64OrNull(x) >= 1e13, 1000, toFloat64OrNull(x) >= 1e10, 1000000, 1000000000 + throwIf(toFloat64OrNull(x) < 1e8, 'a number is no time'))), 'UTC'),
    match(x, '^[0-9]{8} [0-9]{6}([0-9]{3})?$'), parseDateTime64BestEffortOrNull(concat(substring(x, 1, 4), '-', substring(x, 5, 2), '-', substring(x, 7, 2), ' ', substring(x, 10, 2), ':', substring(x, 12, 2), ':', substring(x, 14, 2), '.', if(length(x) > 15, substring(x, 16, 3), '0')), 9, 'UTC'),
    parseDateTime64BestEffortOrNull(x, 9, 'UTC'))) AS pdp_time,
  pdp_fields(record) AS m,
  pdp_fields(m['payload']) AS p,
  -- The same with numbers as texts, for numbers lose digits beyond the 17th when JSON is read. The 0 behind the end lets
  -- the pattern find a number after whatever comes last, so that it never starts within a text.
  pdp_fields(substring(replaceRegexpAll(concat(record, '0'), '((?:"(?:[^"\\\\]|\\\\.)*"|[^"0-9-])*)(-?[0-9]+(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?)', '\\1"\\2"') AS quoted, 1, length(quoted) - 3)) AS me,
  pdp_fields(me['payload']) AS pe
SELECT '0123456789abcdef0123456789abcdef', source_file,
  pdp_time(trimBoth(coalesce(pdp_text(m['timestamp']), pdp_text(p['timestamp']))), 0),
  coalesce(coalesce(pdp_text(m['symbol']), pdp_text(p['symbol'])), file_symbol),
  pdp_type(coalesce(pdp_text(m['type']), pdp_text(p['type'])), event_type),
  if(pdp_text(m['timestamp']) IS NULL, NULL, pdp_time(trimBoth(coalesce(pdp_text(p['timestamp']), pdp_text(m['payload.timestamp']))), 0)),
  toDecimal128(nullIf(trimBoth(coalesce(pdp_text(p['price']), pdp_text(m['payload.price']), pdp_text(m['price']))), 'nan'), 12),
  toDecimal128(nullIf(trimBoth(coalesce(pdp_text(pe['notional']), pdp_text(me['payload.notional']), pdp_text(me['notional']))), 'nan'), 18),
  toDecimal128(nullIf(trimBoth(coalesce(pdp_text(pe['weight']), pdp_text(me['payload.weight']), pdp_text(me['weight']))), 'nan'), 18),
  toInt64(trimBoth(coalesce(pdp_text(p['size']), pdp_text(m['payload.size']), pdp_text(m['size'])))),
  toUInt64(trimBoth(coalesce(pdp_text(p['orderid']), pdp_text(m['payload.orderid']), pdp_text(m['orderid'])))),
  toFloat64(trimBoth(coalesce(pdp_text(m['ratio']), pdp_text(p['ratio'])))),
  pdp_boolean(coalesce(pdp_text(m['live']), pdp_text(p['live']))),
  toDate32(left(trimBoth(coalesce(pdp_text(m['sessiondate']), pdp_text(p['sessiondate']))), 10)),
  pdp_time(trimBoth(coalesce(pdp_text(m['sentat']), pdp_text(p['sentat']))), 1000),
  coalesce(pdp_json(p['conditions']), pdp_json(m['payload.conditions']), pdp_json(m['conditions'])),
  toDecimal128(nullIf(trimBoth(coalesce(pdp_text(pdp_fields(p['quote'])['bid']), pdp_text(pdp_fields(m['payload.quote'])['bid']), pdp_text(p['quote.bid']), pdp_text(m['payload.quote.bid']), pdp_text(pdp_fields(m['quote'])['bid']), pdp_text(m['quote.bid']))), 'nan'), 12),
  coalesce(pdp_json(p['aggressor']), pdp_json(m['payload.aggressor']), pdp_json(m['aggressor'])),
  coalesce(pdp_text(m['nothing']), pdp_text(p['nothing'])),
  coalesce(pdp_text(m['package_id']), pdp_text(p['package_id']))
FROM (
  SELECT 'data/a/AAPL/Trade/1.jsonl' AS source_file, 'AAPL' AS file_symbol, 'Trade' AS event_type, replaceRegexpOne(line, '^\xEF\xBB\xBF', '') AS record FROM file('data/a/AAPL/Trade/1.jsonl', 'LineAsString', 'line String', 'none') WHERE isValidJSON(record) AND JSONType(record) = 'Object'
  UNION ALL
  SELECT 'data/a/AAPL/Trade/2.jsonl.zst' AS source_file, 'O\'NEIL' AS file_symbol, 'Trade' AS event_type, replaceRegexpOne(line, '^\xEF\xBB\xBF', '') AS record FROM file('data/a/AAPL/Trade/2.jsonl.zst', 'LineAsString', 'line String', 'gzip') WHERE isValidJSON(record) AND JSONType(record) = 'Object'
  UNION ALL
  SELECT 'data/a/AAPL/Trade/3.parquet' AS source_file, 'AAPL' AS file_symbol, '' AS event_type, formatRow('JSONEachRow', *) AS record FROM file('data/a/AAPL/Trade/3.parquet', 'Parquet') WHERE 1
);

-- What was loaded against what the manifest says.
SELECT throwIf(count() != 7, 'odd_type: the rows that were loaded are not the 7 that the manifest says') FROM `odd_type__loading` FORMAT Null;
SELECT throwIf(count(*) - count(`pri_ce`) + count(*) - count(`symbol`) > 0, 'odd_type: values are missing that the manifest says every record has') FROM `odd_type__loading` FORMAT Null;
SELECT throwIf(count() != 1025, 'trade: the rows that were loaded are not the 1025 that the manifest says') FROM `trade__loading` FORMAT Null;
SELECT throwIf(count(*) - count(`symbol`) + count(*) - count(`type`) + count(*) - count(`price`) + count(*) - count(`size`) > 0, 'trade: values are missing that the manifest says every record has') FROM `trade__loading` FORMAT Null;
ALTER TABLE `odd_type` REPLACE PARTITION '0123456789abcdef0123456789abcdef' FROM `odd_type__loading`;
DROP TABLE `odd_type__loading` SYNC;
ALTER TABLE `trade` REPLACE PARTITION '0123456789abcdef0123456789abcdef' FROM `trade__loading`;
DROP TABLE `trade__loading` SYNC;
SELECT 'data/a/AAPL/AggregateBar/4.fxd: fxd: convert it first, pdp fxd convert' AS `NOT LOADED`;
SELECT 'data/a/AAPL/Trade/5.dbn.zst: dbn: use databento.DBNStore.from_file(path).to_df()' AS `NOT LOADED`;
SELECT 'odd_type' AS `table`, count() AS `rows`, 7 AS manifest FROM `odd_type` WHERE `package_id` = '0123456789abcdef0123456789abcdef';
SELECT 'trade' AS `table`, count() AS `rows`, 1025 AS manifest FROM `trade` WHERE `package_id` = '0123456789abcdef0123456789abcdef';

