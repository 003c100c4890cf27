//! `metadata.*` as the official client reads it.

use databento::dbn::{Encoding, Schema};
use databento::historical::metadata::{DatasetCondition, FeedMode, GetDatasetConditionParams, ListFieldsParams};
use databento::historical::{DateRange, DateTimeRange};
use time::macros::{date, datetime};

use crate::support::{GLBX, XNAS, client, query, sample, seconds};

#[tokio::test]
async fn datasets_schemas_and_publishers_are_listed() {
    let server = sample();
    let mut client = client(&server);
    assert_eq!(client.metadata().list_datasets(None).await.unwrap(), ["DBEQ.BASIC", GLBX, XNAS]);
    // The end is excluded: a range that ends where the data begins has none.
    let before = DateRange::from(date!(2023 - 12 - 01)..date!(2024 - 01 - 01));
    assert!(client.metadata().list_datasets(Some(before)).await.unwrap().is_empty());
    let first = DateRange::from(date!(2024 - 01 - 01));
    assert_eq!(client.metadata().list_datasets(Some(first)).await.unwrap().len(), 3);

    assert_eq!(client.metadata().list_schemas(XNAS).await.unwrap(), [Schema::Ohlcv1S, Schema::Ohlcv1D]);
    assert_eq!(client.metadata().list_schemas(GLBX).await.unwrap(), [Schema::Ohlcv1S]);

    let publishers = client.metadata().list_publishers().await.unwrap();
    let shown: Vec<(u16, &str, &str)> =
        publishers.iter().map(|one| (one.publisher_id, one.dataset.as_str(), one.venue.as_str())).collect();
    let expected = [
        (1, GLBX, "GLBX"),
        (2, XNAS, "XNAS"),
        (39, "DBEQ.BASIC", "XCHI"),
        (40, "DBEQ.BASIC", "XCIS"),
        (41, "DBEQ.BASIC", "IEXG"),
    ];
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn fields_are_those_of_the_record() {
    let server = sample();
    let mut client = client(&server);
    let mut names = async |encoding| {
        let params = ListFieldsParams::builder().encoding(encoding).schema(Schema::Ohlcv1S).dataset(XNAS).build();
        let fields = client.metadata().list_fields(&params).await.unwrap();
        fields.into_iter().map(|field| field.name).collect::<Vec<_>>()
    };
    let csv = names(Encoding::Csv).await;
    assert_eq!(csv, ["rtype", "publisher_id", "instrument_id", "ts_event", "open", "high", "low", "close", "volume"]);
    assert_eq!(names(Encoding::Dbn).await[0], "length");
}

#[tokio::test]
async fn a_price_is_that_of_the_bytes() {
    let server = sample();
    let mut client = client(&server);
    let prices = client.metadata().list_unit_prices(XNAS).await.unwrap();
    assert_eq!(prices.len(), 3);
    assert_eq!((prices[1].mode, prices[1].unit_prices[&Schema::Ohlcv1S]), (FeedMode::HistoricalStreaming, 32.0));

    let asked = query(&seconds(XNAS, "AAPL", date!(2024 - 01 - 01), date!(2024 - 02 - 01)));
    let count = client.metadata().get_record_count(&asked).await.unwrap();
    let size = client.metadata().get_billable_size(&asked).await.unwrap();
    let cost = client.metadata().get_cost(&asked).await.unwrap();
    assert!(count > 5000);
    assert_eq!(size, count * 56);
    #[expect(clippy::cast_precision_loss)]
    let expected = size as f64 / 1_073_741_824.0 * 32.0;
    assert!((cost - expected).abs() < 1e-9, "{cost} {expected}");
}

#[tokio::test]
async fn the_range_of_a_schema_can_be_shorter_than_the_datasets() {
    let server = sample();
    let range = client(&server).metadata().get_dataset_range(XNAS).await.unwrap();
    let days = datetime!(2024-01-01 00:00 UTC)..datetime!(2024-04-01 00:00 UTC);
    assert_eq!(range.start..range.end, days);
    assert_eq!(range.range_by_schema[&Schema::Ohlcv1S], DateTimeRange::from(days));
    assert_eq!(range.range_by_schema[&Schema::Ohlcv1D].end, datetime!(2024-03-30 00:00 UTC));
}

#[tokio::test]
async fn conditions_include_the_last_day() {
    let server = sample();
    let mut client = client(&server);
    let mut condition = async |range: Option<DateRange>| {
        let params = GetDatasetConditionParams::builder().dataset(XNAS).maybe_date_range(range).build();
        client.metadata().get_dataset_condition(&params).await.unwrap()
    };
    // The client's range excludes its end, which it sends as it is; the API includes it.
    let days = condition(Some(DateRange::from(date!(2024 - 02 - 13)))).await;
    let shown: Vec<_> = days.iter().map(|day| (day.date, day.condition)).collect();
    let expected =
        [(date!(2024 - 02 - 13), DatasetCondition::Available), (date!(2024 - 02 - 14), DatasetCondition::Missing)];
    assert_eq!(shown, expected);
    assert_eq!(days[0].last_modified_date, Some(date!(2024 - 02 - 14)));
    assert_eq!(days[1].last_modified_date, None);

    let all = condition(None).await;
    assert_eq!(all.len(), 91);
    let of = |wanted| all.iter().filter(|day| day.condition == wanted).count();
    assert_eq!(
        (of(DatasetCondition::Degraded), of(DatasetCondition::Pending), of(DatasetCondition::Missing)),
        (1, 1, 1)
    );
}
