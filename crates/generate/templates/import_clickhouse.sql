-- ClickHouse import of the package: {{ name }}
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
{% for table in tables %}
-- {{ table.event_type }}: {{ table.rows }} rows of {{ table.files | length }} files
CREATE TABLE IF NOT EXISTS `{{ table.name }}` (`package_id` String, `source_file` String, `symbol` String)
  ENGINE = MergeTree PARTITION BY `package_id` ORDER BY (`symbol`, `source_file`);
ALTER TABLE `{{ table.name }}`
{% for column in table.columns %}  ADD COLUMN IF NOT EXISTS `{{ column.name }}` {{ column.sql }}{% if loop.last %};{% else %},{% endif %}
{% endfor %}SELECT throwIf(type != wanted, 'the table {{ table.name }} has columns of other types: import it into another database') FROM system.columns
  INNER JOIN (SELECT * FROM VALUES('wanted_name String, wanted String',
{% for column in table.columns %}    ('{{ column.name }}', {{ column.sql_text }}){% if not loop.last %},{% endif %}
{% endfor %}  )) AS needed ON name = wanted_name WHERE database = currentDatabase() AND table = '{{ table.name }}' FORMAT Null;
DROP TABLE IF EXISTS `{{ table.name }}__loading` SYNC;
CREATE TABLE `{{ table.name }}__loading` AS `{{ table.name }}`;
{% for sources in table.sources %}INSERT INTO `{{ table.name }}__loading` (`package_id`, `source_file`{% for column in table.columns %}, `{{ column.name }}`{% endfor %})
WITH
  -- What JSON says as text, or nothing; the same as JSON.
  (x -> if(x IN ('', 'null'), NULL, if(startsWith(x, '"'), JSONExtractString(x), x))) AS pdp_text,
  (x -> if(x IN ('', 'null'), NULL, x)) AS pdp_json,
  -- The fields of a record by lower-case name.
  (x -> CAST(arrayMap(f -> (lower(trimBoth(f.1)), f.2), JSONExtractKeysAndValuesRaw(x)), 'Map(String, String)')) AS pdp_fields,
  (x -> multiIf(x IS NULL, NULL, lower(trimBoth(x)) IN ('true', '1'), true, false)) AS pdp_boolean,
  ((x, known) -> multiIf(x IS NULL, {{ table.event_type_text }}, known != '' AND (match(x, '^[0-9]+$') OR lower(x) = lower(known)), known, x)) AS pdp_type,
  -- A count of so many nanoseconds since 1970 (0: its unit shows in its size), YYYYMMDD HHMMSS with an optional
  -- millisecond, or ISO 8601.
  ((x, nanos) -> multiIf(
    x IS NULL OR startsWith(x, '0001-01-01'), NULL,
    match(x, '^-?[0-9]+([.][0-9]+)?$'), fromUnixTimestamp64Nano(toInt64(toDecimal128OrNull(x, 9) * multiIf(nanos > 0, nanos, toFloat64OrNull(x) >= 1e16, 1, toFloat64OrNull(x) >= 1e13, 1000, toFloat64OrNull(x) >= 1e10, 1000000, 1000000000 + throwIf(toFloat64OrNull(x) < 1e8, 'a number is no time'))), 'UTC'),
    match(x, '^[0-9]{8} [0-9]{6}([0-9]{3})?$'), parseDateTime64BestEffortOrNull(concat(substring(x, 1, 4), '-', substring(x, 5, 2), '-', substring(x, 7, 2), ' ', substring(x, 10, 2), ':', substring(x, 12, 2), ':', substring(x, 14, 2), '.', if(length(x) > 15, substring(x, 16, 3), '0')), 9, 'UTC'),
    parseDateTime64BestEffortOrNull(x, 9, 'UTC'))) AS pdp_time,
  pdp_fields(record) AS m,
  pdp_fields(m['payload']) AS p{% if table.exact %},
  -- The same with numbers as texts, for numbers lose digits beyond the 17th when JSON is read. The 0 behind the end lets
  -- the pattern find a number after whatever comes last, so that it never starts within a text.
  pdp_fields(substring(replaceRegexpAll(concat(record, '0'), '((?:"(?:[^"\\\\]|\\\\.)*"|[^"0-9-])*)(-?[0-9]+(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?)', '\\1"\\2"') AS quoted, 1, length(quoted) - 3)) AS me,
  pdp_fields(me['payload']) AS pe{% endif %}
SELECT {{ package_id }}, source_file{% for column in table.columns %},
  {{ column.value }}{% endfor %}
FROM (
{% for source in sources %}  {{ source }}{% if not loop.last %}
  UNION ALL{% endif %}
{% endfor %});
{% endfor %}{% endfor %}
-- What was loaded against what the manifest says.
{% for table in tables %}SELECT throwIf(count() != {{ table.rows }}, '{{ table.name }}: the rows that were loaded are not the {{ table.rows }} that the manifest says') FROM `{{ table.name }}__loading` FORMAT Null;
SELECT throwIf({{ table.missing }} > 0, '{{ table.name }}: values are missing that the manifest says every record has') FROM `{{ table.name }}__loading` FORMAT Null;
{% endfor %}{% for table in tables %}{% if table.rows == 0 %}ALTER TABLE `{{ table.name }}` DROP PARTITION {{ package_id }};
{% else %}ALTER TABLE `{{ table.name }}` REPLACE PARTITION {{ package_id }} FROM `{{ table.name }}__loading`;
{% endif %}DROP TABLE `{{ table.name }}__loading` SYNC;
{% endfor %}{% for text in left_out %}SELECT {{ text }} AS `NOT LOADED`;
{% endfor %}{% for table in tables %}SELECT '{{ table.name }}' AS `table`, count() AS `rows`, {{ table.rows }} AS manifest FROM `{{ table.name }}` WHERE `package_id` = {{ package_id }};
{% endfor %}
