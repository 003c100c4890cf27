//! CSV in all its shapes, and its errors.

use fxd::{Bar, Scale};
use pdp_bars::{CsvFormat, Fit, Order, ReadOptions, Zone};

use crate::support::{flat, options, read_text, ts};

fn zoned(zone: &str) -> ReadOptions {
    let mut options = options(5, 0);
    options.zone = Some(zone.parse().unwrap());
    options
}

/// The one error of a text.
fn error(text: &str, options: &ReadOptions) -> String {
    read_text("X.csv", text, options).expect_err(text)
}

#[test]
fn t107_all_shapes_give_the_same_bars() {
    let expected =
        [("EURUSD".to_owned(), vec![flat("2012-02-01T05:00:00Z", 131_000), flat("2012-02-01T05:01:00Z", 131_010)])];
    let rows = |separator: &str, times: [&str; 2], rest: &str, symbol: &str| {
        times
            .iter()
            .zip(["1.310000", "1.31010"])
            .map(|(time, price)| {
                let fields = [*time, symbol, price, price, price, price, rest];
                fields.iter().filter(|field| !field.is_empty()).copied().collect::<Vec<_>>().join(separator) + "\n"
            })
            .collect::<String>()
    };
    let local = ["20120201 000000", "20120201 000100"];
    let spaced = ["2012-02-01 00:00:00", "2012-02-01 00:01:00"];
    let utc = ["2012-02-01T05:00:00Z", "2012-02-01T05:01:00Z"];
    let seconds = ["1328072400", "1328072460"];
    let millis = ["1328072400000", "1328072460000"];
    let micros = ["1328072400000000", "1328072460000000"];
    let nanos = ["1328072400000000000", "1328072460000000000"];
    let shapes = [
        ("histdata", rows(";", local, "0", "")),
        ("histdata, commas", rows(",", local, "0", "")),
        ("tabs", rows("\t", spaced, "0", "")),
        ("no volume", rows(",", utc, "", "")),
        ("seconds", rows(",", seconds, "0", "")),
        ("milliseconds", rows(",", millis, "0", "")),
        ("microseconds", rows(",", micros, "0", "")),
        ("nanoseconds", rows(",", nanos, "0", "")),
        ("header", "timestamp,open,high,low,close,volume\n".to_owned() + &rows(",", utc, "0", "")),
        ("header, semicolons", "datetime;open;high;low;close;volume\n".to_owned() + &rows(";", spaced, "0", "")),
        ("letters", "ts,o,h,l,c,v\n".to_owned() + &rows(",", micros, "0", "")),
        ("capitals", "Date,Open,High,Low,Close,Volume\n".to_owned() + &rows(",", spaced, "0", "")),
        ("quotes", "\"timestamp\",\"open\",\"high\",\"low\",\"close\"\n".to_owned() + &rows(",", ["\"2012-02-01T05:00:00Z\"", utc[1]], "", "")),
        ("symbols", "timestamp,symbol,open,high,low,close,volume\n".to_owned() + &rows(",", utc, "0", "EURUSD")),
        ("symbols, no header", rows(",", utc, "0", "EURUSD")),
        ("date and time apart", rows(",", ["2012.02.01,00:00", "2012.02.01,00:01"], "0", "")),
        ("MetaTrader", "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<VOL>\t<SPREAD>\n".to_owned()
            + &rows("\t", ["2012.02.01\t00:00:00", "2012.02.01\t00:01:00"], "0\t3", "")),
        ("binance", rows(",", millis, "0,1328072459999,0,1,0,0,0", "")),
        ("binance with a header", "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n".to_owned()
            + &rows(",", micros, "0,1328072459999000,0,1,0,0,0", "")),
        ("databento", "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n\
            2012-02-01T05:00:00.000000000Z,33,1,5,1.310000000,1.310000000,1.310000000,1.310000000,0,EURUSD\n\
            2012-02-01T05:01:00.000000000Z,33,1,5,1.310100000,1.310100000,1.310100000,1.310100000,0,EURUSD\n".to_owned()),
        ("databento, raw", "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n\
            1328072400000000000,33,1,5,1310000000,1310000000,1310000000,1310000000,0,EURUSD\n\
            1328072460000000000,33,1,5,1310100000,1310100000,1310100000,1310100000,0,EURUSD\n".to_owned()),
    ];
    for (name, text) in shapes {
        let lines: Vec<_> = text.lines().collect();
        for (change, text) in [
            ("", text.clone()),
            ("CRLF", text.replace('\n', "\r\n")),
            ("BOM", format!("\u{feff}{text}")),
            ("no end", text.trim_end_matches('\n').to_owned()),
            ("blank lines", format!("\n{}\n\n  \n", lines.join("\n\n"))),
        ] {
            let found = read_text("EURUSD.csv", &text, &zoned("EST"))
                .unwrap_or_else(|error| panic!("{name} {change}: {error}"));
            assert_eq!(found, expected, "{name} {change}");
        }
    }
}

#[test]
fn t107_the_first_line_is_never_lost() {
    for (text, why) in [
        ("20120201 000000;NaN;1;1;1;0\n", "line 1: open is \"NaN\", expected a decimal number"),
        ("20120201 0000xx;1;1;1;1;0\n", "line 1: timestamp is \"20120201 0000xx\""),
        ("x0120201 000000;1;1;1;1;0\n20120201 000000;1;1;1;1;0\n", "line 1: expected a header"),
    ] {
        let error = error(text, &zoned("EST"));
        assert!(error.contains(why), "{text}: {error}");
    }
}

#[test]
fn t107_bad_lines_are_named_by_number() {
    let good = "2012-02-01T05:00:00Z,1,1,1,1,0\n";
    for (bad, why) in [
        ("2012-02-01T05:01:00Z,1,1,1\n", "4 fields, expected 6"),
        ("2012-02-01T05:01:00Z,1,1,1,1,0,0\n", "7 fields, expected 6"),
        ("2012-02-01T05:01:00Z,1,5,1,1,1,0\n", "7 fields, expected 6"),
        ("2012-02-01T05:01:00Z,,1,1,1,0\n", "open is \"\", expected a decimal number as 1.05432"),
        ("2012-02-01T05:01:00Z,1,inf,1,1,0\n", "high is \"inf\""),
        ("2012-02-01T05:01:00Z,1,1,1.000001,1,0\n", "low is \"1.000001\", expected a price of 5 decimals at most"),
        ("2012-02-01T05:01:00Z,1,1,1,1,0.5\n", "volume is \"0.5\", expected a whole volume"),
        ("2012-02-01T05:01:00Z,1,1,1,1,-1\n", "volume is \"-1\", expected a volume from 0"),
        ("2012-13-01T05:01:00Z,1,1,1,1,0\n", "timestamp is \"2012-13-01T05:01:00Z\""),
        ("02/01/2012 05:01,1,1,1,1,0\n", "order of day and month cannot be told"),
        ("2012-02-01 05:01:00,1,1,1,1,0\n", "says no time zone: give the one its clock showed with --tz"),
        ("# a comment\n", "1 fields, expected 6"),
        ("2012-02-01T05:01:00Z,\"1,1,1,1,0\n", "quotes to be closed"),
        ("2012-02-01T05:01:00Z,1,1,1,1,\"0\"0\n", "quotes to be closed"),
        (
            "1328072460,1,1,1,1,0\n1328072520000,1,1,1,1,0\n",
            "counts milliseconds, expected seconds, as at line 5: one file",
        ),
    ] {
        let text = format!("{good}\n\n\n{bad}");
        let error = error(&text, &options(5, 0));
        let line = if bad.lines().count() == 2 { 6 } else { 5 };
        assert!(error.starts_with(&format!("line {line}: ")) && error.contains(why), "{bad}: {error}");
    }
}

#[test]
fn t107_daylight_saving_in_the_zone_of_a_histdata_file() {
    let line = |time: &str| format!("{time};1;1;1;1;0\n");
    let zone = zoned("America/New_York");
    let text = line("20240308 165900") + &line("20240310 170000");
    let bars = &read_text("DAT_ASCII_EURUSD_M1_2024.csv", text, &zone).unwrap()[0];
    assert_eq!(bars.0, "EURUSD");
    assert_eq!([bars.1[0].ts, bars.1[1].ts], [ts("2024-03-08T21:59:00Z"), ts("2024-03-10T21:00:00Z")]);
    for (time, why) in [
        ("20240310 023000", "does not exist in America/New_York"),
        ("20241103 013000", "happened twice in America/New_York"),
    ] {
        let error = error(&(line("20240101 000000") + &line(time)), &zone);
        assert!(error.starts_with("line 2: timestamp ") && error.contains(why), "{error}");
    }
    assert!(error(&line("20240310 023000"), &options(5, 0)).contains("--tz"));
}

#[test]
fn t104_prices_are_exact_or_refused() {
    let mut options = options(5, 0);
    options.fit = Fit::version_1();
    let line = |price: &str| format!("2012-02-01T05:00:00Z,{price},{price},{price},{price},0\n");
    for (text, value) in [
        ("0", 0),
        ("42949.67295", 4_294_967_295),
        ("1.05432", 105_432),
        ("1e-05", 1),
        ("1.149650", 114_965),
        ("+.5", 50_000),
    ] {
        for repeat in [1, 40] {
            // The last lines of a block are read another way than those before.
            let rows: String =
                (0..repeat).map(|minute| line(text).replace("05:00:00", &format!("05:{minute:02}:00"))).collect();
            let bars = &read_text("X.csv", rows, &options).unwrap()[0].1;
            assert!(bars.iter().all(|bar| [bar.open, bar.high, bar.low, bar.close] == [value; 4]), "{text}");
        }
    }
    for text in ["42949.67296", "-1", "-0.00001", "NaN", "1e308", "1.054321", "", "inf", "1 ", " 1"] {
        for before in [String::new(), line("1")] {
            let number = before.lines().count() + 1;
            let error = error(&(before + &line(text)), &options);
            assert!(error.starts_with(&format!("line {number}: open is \"{text}\", expected ")), "{text}: {error}");
        }
    }
}

#[test]
fn t105_volumes_are_exact_or_refused() {
    let mut options = options(5, 0);
    options.fit = Fit::version_1();
    let line = |volume: &str| format!("2012-02-01T05:00:00Z,1,1,1,1,{volume}\n");
    for (text, volume) in [("4294967295", 4_294_967_295), ("0", 0), ("", 0), ("12.000", 12)] {
        assert_eq!(read_text("X.csv", line(text), &options).unwrap()[0].1[0].volume, volume, "{text}");
    }
    let error = error(&line("4294967296"), &options);
    assert_eq!(error, "line 1: volume is \"4294967296\", expected a volume from 0 to 4294967295");
    let mut scaled = self::options(5, 4);
    scaled.fit.volume_scale = Scale::new(4).unwrap();
    assert_eq!(read_text("X.csv", line("2300413.7295"), &scaled).unwrap()[0].1[0].volume, 23_004_137_295);
}

#[test]
fn t106_times_at_the_ends_unsorted_and_repeated() {
    let line = |time: &str, price: &str| format!("{time},{price},{price},{price},{price},0\n");
    for (time, expected) in [
        ("1970-01-01T00:00:00Z", 0),
        ("2262-04-11T23:47:16.854775807Z", fxd::MAX_TS),
        ("9223372036854775807", fxd::MAX_TS),
    ] {
        assert_eq!(read_text("X.csv", line(time, "1"), &options(5, 0)).unwrap()[0].1[0].ts, expected);
    }
    for time in
        ["9223372036854775808", "2262-04-11T23:47:16.854775808Z", "1969-12-31T23:59:59Z", "-1", "3000-01-01T00:00:00Z"]
    {
        assert!(error(&line(time, "1"), &options(5, 0)).starts_with("line 1: timestamp is \""), "{time}");
    }
    let first = line("2012-02-01T05:00:00Z", "1");
    let later = line("2012-02-01T05:01:00Z", "2");
    assert_eq!(
        error(&(first.clone() + &later + &first), &options(5, 0)),
        "line 3: X: 2012-02-01T05:00:00Z steps back behind 2012-02-01T05:01:00Z at line 2, expected a later time"
    );
    assert_eq!(
        error(&(first.clone() + "\n" + &first), &options(5, 0)),
        "line 3: X: 2012-02-01T05:00:00Z is a duplicate of 2012-02-01T05:00:00Z at line 1, expected a later time"
    );
    let mut as_is = options(5, 0);
    as_is.order = Order::AsIs;
    let bars = &read_text("X.csv", first.clone() + &later + &first, &as_is).unwrap()[0].1;
    assert_eq!(bars.iter().map(|bar| bar.open).collect::<Vec<_>>(), [100_000, 200_000, 100_000]);
    // Two symbols may share their times.
    let two = "timestamp,symbol,open,high,low,close\n2012-02-01T05:00:00Z,A,1,1,1,1\n2012-02-01T05:00:00Z,B,1,1,1,1\n2012-02-01T05:01:00Z,A,1,1,1,1\n";
    let series = read_text("X.csv", two, &options(5, 0)).unwrap();
    assert_eq!(
        series.iter().map(|(symbol, bars)| (symbol.as_str(), bars.len())).collect::<Vec<_>>(),
        [("A", 2), ("B", 1)]
    );
}

#[test]
fn publishers_are_never_merged() {
    let header = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n";
    let row =
        |minute: u32, publisher: u32| format!("2024-07-01T00:{minute:02}:00Z,33,{publisher},5,1.0,1.0,1.0,1.0,0,SPY\n");
    let same = format!("{header}{}{}", row(0, 1), row(0, 2));
    assert_eq!(
        error(&same, &options(5, 0)),
        "line 3: SPY: 2024-07-01T00:00:00Z is from publisher 2, the row at line 2 from publisher 1: \
         expected one publisher's bars, as several are several series"
    );
    let apart = format!("{header}{}{}", row(0, 1), row(1, 2));
    assert!(read_text("X.csv", &apart, &options(5, 0)).is_ok());
    let mut as_is = options(5, 0);
    as_is.order = Order::AsIs;
    assert!(error(&apart, &as_is).contains("from publisher 2"));
}

#[test]
fn instruments_without_symbols_stay_apart() {
    let text = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume\n\
        1719878281000000000,33,1,5,1000000000,1000000000,1000000000,1000000000,7\n\
        1719878281000000000,33,1,6,1000000000,1000000000,1000000000,1000000000,7\n";
    let series = read_text("X.csv", text, &options(5, 0)).unwrap();
    assert_eq!(series.iter().map(|(symbol, _)| symbol.as_str()).collect::<Vec<_>>(), ["5", "6"]);
    let mut named = options(5, 0);
    named.symbol = Some("ES".to_owned());
    assert_eq!(
        error(text, &named),
        "line 3: instrument_id is \"6\", expected 5, as in the rows before: a symbol can be given to one instrument only"
    );
    let one = text.lines().take(2).collect::<Vec<_>>().join("\n");
    assert_eq!(read_text("X.csv", one, &named).unwrap()[0].0, "ES");
}

#[test]
fn databento_prices_of_two_kinds_are_not_mixed() {
    let header = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n";
    let raw = "1719878281000000000,33,1,5,5000000000,5000000000,5000000000,5000000000,7,ES\n";
    let pretty = "1719878341000000000,33,1,5,5.0,5.0,5.0,5.0,7,ES\n";
    let undefined = "1719878341000000000,33,1,5,9223372036854775807,5000000000,5000000000,5000000000,7,ES\n";
    for (rows, why) in [
        ([raw, pretty], "open is \"5.0\", expected a whole number of 1e-9"),
        ([pretty, raw], "open is \"5000000000\", expected a price with a point"),
        ([raw, undefined], "expected a price, not the sign for none"),
    ] {
        let error = error(&format!("{header}{}", rows.concat()), &options(5, 0));
        assert!(error.starts_with("line 3: ") && error.contains(why), "{error}");
    }
}

#[test]
fn flags_are_read_where_they_are() {
    let text = "timestamp,open,high,low,close,volume,flags\n2012-02-01T05:00:00Z,1,1,1,1,0,3\n2012-02-01T05:01:00Z,1,1,1,1,0,\n";
    let bars = &read_text("X.csv", text, &options(5, 0)).unwrap()[0].1;
    assert_eq!([bars[0].flags, bars[1].flags], [3, 0]);
    assert!(error(&text.replace(",3\n", ",256\n"), &options(5, 0)).contains("flags is \"256\""));
}

#[test]
fn symbols_come_from_rows_options_and_names() {
    let rows = "2012-02-01T05:00:00Z,1,1,1,1\n";
    let mut named = options(5, 0);
    named.symbol = Some("GBPUSD".to_owned());
    assert_eq!(read_text("gbpusd-m1-bid-2012.csv", rows, &options(5, 0)).unwrap()[0].0, "gbpusd");
    assert_eq!(read_text("gbpusd-m1-bid-2012.csv", rows, &named).unwrap()[0].0, "GBPUSD");
    assert!(read_text("2019.csv", rows, &options(5, 0)).unwrap_err().contains("line 1: the row names no symbol"));
    let text = "timestamp,symbol,open,high,low,close\n2012-02-01T05:00:00Z,\"BRK,\"\"B\",1,1,1,1\n2012-02-01T05:00:00Z,,1,1,1,1\n";
    let series = read_text("X.csv", text, &named).unwrap();
    assert_eq!(series.iter().map(|(symbol, _)| symbol.as_str()).collect::<Vec<_>>(), ["BRK,\"B", "GBPUSD"]);
    for bad in ["A\tB", "\u{7f}"] {
        let text = format!("timestamp,symbol,open,high,low,close\n2012-02-01T05:00:00Z,{bad},1,1,1,1\n");
        assert!(error(&text, &options(5, 0)).contains("without control characters"));
    }
    assert!(
        read_text(
            "X.csv",
            b"timestamp,symbol,open,high,low,close\n2012-02-01T05:00:00Z,\xff\xfe,1,1,1,1\n",
            &options(5, 0)
        )
        .is_err()
    );
}

#[test]
fn a_format_that_is_asked_for_is_held_to() {
    let mut options = zoned("EST");
    for (format, text, taken) in [
        (CsvFormat::HistData, "20120201 000000;1;1;1;1;0\n", true),
        (CsvFormat::HistData, "20120201 000000;1;1;1;1\n", false),
        (CsvFormat::Databento, "timestamp,open,high,low,close\n2012-02-01T05:00:00Z,1,1,1,1\n", false),
        (CsvFormat::Databento, "1719878281000000000,33,1,5,1000000000,1000000000,1000000000,1000000000,7,ES\n", true),
        (CsvFormat::Binance, "20120201 000000;1;1;1;1;0\n", false),
        (CsvFormat::Binance, "1637971200000,1,1,1,1,1,1,1,1,1,1,0\n", true),
        (CsvFormat::Plain, "2012-02-01T05:00:00Z,1,1,1,1\n", true),
    ] {
        options.csv_format = format;
        let result = read_text("X.csv", text, &options);
        assert_eq!(result.is_ok(), taken, "{format} {text}: {result:?}");
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    assert!("excel".parse::<CsvFormat>().unwrap_err().to_string().contains("histdata"));
}

#[test]
fn files_without_bars_are_explained() {
    for (text, why) in [
        ("", "the file holds no lines"),
        ("\n\n  \n", "the file holds no lines"),
        ("hello\n", "line 1: expected a header"),
        ("\0\0\0\0", "line 1: expected a header"),
    ] {
        let error = error(text, &options(5, 0));
        assert!(error.starts_with(why), "{text:?}: {error}");
    }
    assert_eq!(read_text("X.csv", "timestamp,open,high,low,close\n", &options(5, 0)).unwrap(), []);
}

#[test]
fn lines_are_counted_across_blocks() {
    // Some 13 MB: four blocks.
    let mut text = String::from("timestamp,open,high,low,close,volume\n");
    let start = ts("2012-01-02T00:00:00Z");
    for minute in 0..200_000_u64 {
        let time = chrono::DateTime::from_timestamp_nanos(i64::try_from(start + minute * 60_000_000_000).unwrap());
        text += &format!("{},1.00001,1.00002,1.00000,1.00001,{minute}\n", time.format("%Y-%m-%dT%H:%M:%S%.9fZ"));
        if minute % 50_000 == 0 {
            text += "\n";
        }
    }
    for threads in [1, 2, 5] {
        let mut options = options(5, 0);
        options.threads = threads;
        let bars = &read_text("X.csv", &text, &options).unwrap()[0].1;
        assert_eq!(bars.len(), 200_000);
        assert!(bars.iter().zip(0_u64..).all(|(bar, minute)| {
            *bar == Bar {
                ts: start + minute * 60_000_000_000,
                open: 100_001,
                high: 100_002,
                low: 100_000,
                close: 100_001,
                volume: minute,
                flags: 0,
            }
        }));
        let lines = text.lines().count();
        let back = text.clone() + "2012-01-02T00:00:00Z,1,1,1,1,0\n";
        let error = self::read_text("X.csv", back, &options).unwrap_err();
        assert!(
            error.starts_with(&format!("line {}: X: 2012-01-02T00:00:00Z steps back behind 2012-", lines + 1)),
            "{error}"
        );
        assert!(error.contains(&format!("at line {lines},")), "{error}");
        let mixed = text.clone() + "1700000000,1,1,1,1,0\n1700000000000,1,1,1,1,0\n";
        let error = self::read_text("X.csv", mixed, &options).unwrap_err();
        assert!(error.starts_with(&format!("line {}: ", lines + 2)), "{error}");
    }
}

#[test]
fn units_are_not_mixed_across_blocks() {
    let mut text = String::new();
    for minute in 0..150_000_u64 {
        text += &format!("{},1.00001,1.00002,1.00000,1.00001,0\n", 1_637_971_200_000 + minute * 60_000);
    }
    text += "1704067200000000,1,1,1,1,0\n";
    let error = error(&text, &options(5, 0));
    let why = "line 150001: timestamp \"1704067200000000\" counts microseconds, expected milliseconds, as at line ";
    assert!(error.starts_with(why), "{error}");
}

#[test]
fn a_line_without_end_is_refused() {
    let text = format!("2012-02-01T05:00:00Z,1,1,1,1\n{}", "1".repeat(9 << 20));
    let error = error(&text, &options(5, 0));
    assert!(error.starts_with("line 2: expected a line of 1048576 bytes at most"), "{error}");
}

#[test]
fn zones_of_the_options_do_not_touch_zoned_times() {
    let mut options = options(5, 0);
    options.zone = Some(Zone::EST);
    let bars =
        &read_text("X.csv", "2012-02-01T05:00:00+02:00,1,1,1,1\n2012-02-01 05:00,1,1,1,1\n", &options).unwrap()[0].1;
    assert_eq!([bars[0].ts, bars[1].ts], [ts("2012-02-01T03:00:00Z"), ts("2012-02-01T10:00:00Z")]);
}
