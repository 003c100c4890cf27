"""The official Python client against the server: client.py URL KEY WRONG_KEY FILE.

FILE is JSON: what the store holds of some queries. Prints the name of each check that passed."""

import asyncio
import datetime as dt
import json
import pathlib
import sys
import tempfile
import urllib.request
import warnings

import databento as db
from databento.common.error import BentoWarning
from databento.historical.api.metadata import MetadataHttpAPI
from databento.historical.api.symbology import SymbologyHttpAPI
from databento.historical.api.timeseries import TimeseriesHttpAPI

URL, KEY, WRONG_KEY, FILE = sys.argv[1:]
HELD = json.loads(pathlib.Path(FILE).read_text())
# Of pandas and aiohttp, about how the client uses them; those that matter here are caught where they are expected.
warnings.simplefilter("ignore")
COLUMNS = ["publisher_id", "instrument_id", "open", "high", "low", "close", "volume"]


def client_of(key):
    """The client makes https of every gateway that it is given; its parts take them as they are."""
    client = db.Historical(key)
    client.metadata = MetadataHttpAPI(key, URL)
    client.symbology = SymbologyHttpAPI(key, URL)
    client.timeseries = TimeseriesHttpAPI(key, URL)
    return client


CLIENT = client_of(KEY)


def fault(**words):
    request = urllib.request.Request(f"{URL}/control/faults", json.dumps(words).encode(), method="POST")
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()


def get(dataset="XNAS.ITCH", symbols="AAPL", start="2024-01-01", end="2024-02-01", **more):
    return CLIENT.timeseries.get_range(dataset, start, end, symbols=symbols, schema="ohlcv-1s", **more)


def frame(store):
    return store.to_df(price_type="fixed")


def rows(df):
    moments = df.index.asi8.tolist() if df.index.unit == "ns" else df.index.as_unit("ns").asi8.tolist()
    return [list(row) for row in zip(moments, *(df[name].tolist() for name in COLUMNS))]


def refused(kind, status, call, *said):
    try:
        call()
    except kind as error:
        assert getattr(error, "http_status", None) == status, (status, repr(error))
        assert all(word in str(error) for word in said), (said, str(error))
        return error
    raise AssertionError(f"expected {kind.__name__} {status}, found an answer")


def warned(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answer = call()
    return answer, [str(one.message) for one in caught if issubclass(one.category, BentoWarning)]


def a_month_is_what_the_store_holds():
    df = frame(get())
    assert rows(df) == HELD["january"]
    assert set(df["symbol"]) == {"AAPL"}
    assert df["instrument_id"].nunique() == 4, "another instrument each week"
    assert str(df.index[0]) == "2024-01-01 00:00:00+00:00"
    assert str(df.index[-1]) == "2024-01-31 23:59:59+00:00"


def a_continuous_symbol_rolls():
    df = frame(get("GLBX.MDP3", "ES.c.0", "2024-03-14", "2024-03-16", stype_in="continuous"))
    assert rows(df) == HELD["roll"]
    assert set(df["symbol"]) == {"ES.c.0"} and set(df["instrument_id"]) == {17077, 5602}


def a_parents_children_have_their_names():
    df = frame(get("GLBX.MDP3", "ES.FUT", "2024-03-15", "2024-03-16", stype_in="parent"))
    assert set(df["symbol"]) == {"ESH4", "ESM4"}


def venues_share_seconds():
    # Without an end: the day that the start names.
    df = frame(get("DBEQ.BASIC", "SPY", dt.date(2024, 1, 15), None))
    assert rows(df) == HELD["venues"]
    assert set(df["publisher_id"]) == {39, 40, 41} and len(df) == 3 * df.index.nunique()


def starts_are_spelt_in_many_ways():
    import pandas as pd

    one = rows(frame(get(start="2024-01-31T23:59:59", end=None)))
    assert len(one) == 1 and one[0] in HELD["january"]
    for start, end in [
        (1706745599000000000, 1706745600000000000),
        (dt.datetime(2024, 1, 31, 23, 59, 59), dt.datetime(2024, 2, 1)),
        (pd.Timestamp("2024-02-01 00:59:59", tz="Europe/Berlin"), pd.Timestamp("2024-02-01 01:00", tz="Europe/Berlin")),
    ]:
        assert rows(frame(get(start=start, end=end))) == one, (start, end)


def a_file_holds_the_same():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "aapl.dbn.zst"
        get(path=path)
        assert rows(frame(db.DBNStore.from_file(path))) == HELD["january"]


def the_async_client_gets_the_same():
    asked = CLIENT.timeseries.get_range_async("XNAS.ITCH", "2024-01-01", "2024-02-01", "AAPL", "ohlcv-1s")
    assert rows(frame(asyncio.run(asked))) == HELD["january"]


def metadata_is_listed():
    meta = CLIENT.metadata
    assert meta.list_datasets() == ["DBEQ.BASIC", "GLBX.MDP3", "XNAS.ITCH"]
    assert meta.list_datasets(end_date="2024-01-01") == []
    assert meta.list_schemas("XNAS.ITCH") == ["ohlcv-1s", "ohlcv-1d"]
    assert {one["venue"] for one in meta.list_publishers()} == {"GLBX", "XNAS", "XCHI", "XCIS", "IEXG"}
    assert meta.list_fields("ohlcv-1s", "dbn")[0] == {"name": "length", "type": "uint8_t"}
    assert meta.list_unit_prices("XNAS.ITCH")[0]["unit_prices"]["ohlcv-1s"] == 32.0
    assert meta.get_dataset_range("XNAS.ITCH")["schema"]["ohlcv-1d"]["end"] == "2024-03-30T00:00:00.000000000Z"
    days = meta.get_dataset_condition("XNAS.ITCH", "2024-01-15", "2024-01-16")
    assert [day["condition"] for day in days] == ["degraded", "available"]


def counts_and_costs_agree():
    asked = {"dataset": "XNAS.ITCH", "start": "2024-01-01", "end": "2024-02-01", "symbols": "AAPL", "schema": "ohlcv-1s"}
    count = CLIENT.metadata.get_record_count(**asked)
    assert count == len(HELD["january"])
    assert CLIENT.metadata.get_billable_size(**asked) == 56 * count
    assert abs(CLIENT.metadata.get_cost(**asked) - 56 * count / 2**30 * 32) < 1e-9
    assert CLIENT.metadata.get_record_count(**asked, limit=7) == 7


def symbols_resolve():
    found = CLIENT.symbology.resolve("GLBX.MDP3", "ES.c.0", "continuous", "instrument_id", "2024-03-14", "2024-03-16")
    assert found["result"]["ES.c.0"] == [
        {"d0": "2024-03-14", "d1": "2024-03-15", "s": "17077"},
        {"d0": "2024-03-15", "d1": "2024-03-16", "s": "5602"},
    ]
    assert found["status"] == 0 and found["message"] == "OK"
    store, said = warned(lambda: get(start="2024-02-01", end="2024-03-01", symbols=["AAPL", "NEWB", "NOSUCH"]))
    assert store.metadata.partial == ["NEWB"] and store.metadata.not_found == ["NOSUCH"]
    assert any("did not resolve: NOSUCH, NEWB" in text for text in said), said
    asked = store.request_symbology(CLIENT)
    assert asked["not_found"] == ["NOSUCH"] and asked["status"] == 2


def warnings_are_given():
    store, said = warned(lambda: get(symbols="MSFT", start="2024-02-01", end="2024-03-01"))
    assert len(frame(store)) == 0
    assert said == [
        "The streaming request contained one or more days which have reduced quality: 2024-02-14 (missing)",
        "No data found for the request you submitted.",
    ], said


def refusals_are_client_errors():
    error = refused(db.BentoClientError, 422, lambda: get(end="2024-04-02"), "data_end_after_available_end")
    assert error.json_body["detail"]["payload"]["available_end"] == "2024-04-01T00:00:00.000000000Z"
    refused(db.BentoClientError, 422, lambda: get("NO.SUCH"), "dataset_not_found", "documentation: https://")
    refused(db.BentoClientError, 422, lambda: get(symbols="NOSUCH"), "None of the symbols could be resolved")
    refused(db.BentoClientError, 422, lambda: get(end="2024-01-01"), "data_time_range_start_on_or_after_end")
    refused(db.BentoClientError, 401, client_of(WRONG_KEY).metadata.list_datasets, "auth_authentication_failed")


def statuses_have_their_classes():
    fault(**{"status": 429, "retry-after": 2})
    assert refused(db.BentoClientError, 429, get, "Rate limit exceeded").headers["Retry-After"] == "2"
    for status in (500, 503):
        fault(status=status)
        refused(db.BentoServerError, status, get)
    fault(endpoint="list_datasets", status=503)
    refused(db.BentoServerError, 503, CLIENT.metadata.list_datasets)


def broken_streams_are_errors():
    fault(**{"cut-after": 40_000})
    refused(db.BentoError, None, get, "Error streaming response")
    fault(page=True)
    refused(db.BentoError, None, get)
    fault(**{"no-body": True})
    refused(ValueError, None, get)
    TimeseriesHttpAPI.TIMEOUT = 0.5
    fault(stall=True)
    try:
        get()
        raise AssertionError("expected a timeout, found an answer")
    except db.BentoError as error:
        raise AssertionError("expected the error of requests") from error
    except OSError as error:
        assert "timed out" in str(error), error
    finally:
        TimeseriesHttpAPI.TIMEOUT = 100
    fault(stall=50, after=1000)
    assert rows(frame(get())) == HELD["january"]


def wrong_data_is_taken_for_right():
    fault(truncated=True)
    store, _ = warned(get)
    # Between two records the end is no more remarkable to this client than to the other.
    df, said = warned(lambda: frame(store))
    assert 0 < len(df) < len(HELD["january"]) and rows(df) == HELD["january"][: len(df)]
    assert said == []
    fault(outside=True)
    df = frame(get())
    assert rows(df)[1:-1] == HELD["january"] and str(df.index[-1]) == "2024-02-01 00:00:00+00:00"
    fault(**{"other-symbol": True})
    df = frame(get())
    assert len(df) == len(HELD["january"]) and set(df["symbol"].iloc[: len(df) // 2]) == {"AAPL"}
    assert df["symbol"].iloc[len(df) // 2 :].isna().all()
    fault(**{"no-records": True})
    assert len(frame(get())) == 0


for check in [
    a_month_is_what_the_store_holds,
    a_continuous_symbol_rolls,
    a_parents_children_have_their_names,
    venues_share_seconds,
    starts_are_spelt_in_many_ways,
    a_file_holds_the_same,
    the_async_client_gets_the_same,
    metadata_is_listed,
    counts_and_costs_agree,
    symbols_resolve,
    warnings_are_given,
    refusals_are_client_errors,
    statuses_have_their_classes,
    broken_streams_are_errors,
    wrong_data_is_taken_for_right,
]:
    check()
    print(check.__name__)
