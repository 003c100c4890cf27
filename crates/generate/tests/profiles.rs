//! What other standards want beside a package, from a manifest alone. Their own tools check whole packages elsewhere.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::Path;

use pdp_generate::profiles::{members, texts};
use pdp_generate::{CsvTable, CsvTables, Paper, table_schemas};
use pdp_manifest::{CsvDialect, DataFormat, Field, FieldType, Manifest, PackagePath, Profile, Sha256Digest};
use serde_json::Value;

const ALL: [Profile; 3] = [Profile::Bagit, Profile::Frictionless, Profile::RoCrate];

fn manifest() -> Manifest {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rich.json");
    pdp_manifest::json::parse(&std::fs::read(path).unwrap()).unwrap()
}

fn path(text: &str) -> PackagePath {
    text.parse().unwrap()
}

/// The first file of the manifest as CSV with these columns.
fn with_csv(manifest: &mut Manifest, fields: Vec<Field>, regular: bool) -> CsvTables {
    let file = &mut manifest.files[0];
    file.format = DataFormat::Csv;
    let columns = fields.iter().map(|field| field.name.clone()).collect();
    file.csv = Some(CsvDialect { delimiter: ';', has_header: true, comment: None, columns });
    CsvTables::from([(file.path.clone(), CsvTable { fields, regular })])
}

fn columns() -> Vec<Field> {
    let field = |name: &str, field_type, example: &str| Field {
        example: Some(example.into()),
        ..Field::new(name.to_owned(), field_type)
    };
    vec![
        field("timestamp", FieldType::DateTime, "1704292200000"),
        Field { nullable: true, ..field(" Price", FieldType::Decimal, "1.5") },
    ]
}

fn text(manifest: &Manifest, tables: &CsvTables, profiles: &[Profile], name: &str) -> String {
    let readme = path("README.md");
    let papers = [Paper { path: &readme, text: "hello\n" }];
    let made = texts(manifest, &profiles.iter().copied().collect(), tables, &papers);
    made.into_iter().find(|(path, _)| *path == name).unwrap().1
}

fn json(manifest: &Manifest, tables: &CsvTables, name: &str) -> Value {
    serde_json::from_str(&text(manifest, tables, &ALL, name)).unwrap()
}

#[test]
fn each_profile_adds_its_members_and_no_others() {
    let manifest = manifest();
    for profile in ALL {
        let made = texts(&manifest, &BTreeSet::from([profile]), &CsvTables::new(), &[]);
        let names: Vec<&str> = made.iter().map(|(name, _)| *name).collect();
        let mut expected = members(profile).to_vec();
        expected.sort_unstable();
        assert_eq!(names, expected, "{profile}");
    }
    assert!(texts(&manifest, &BTreeSet::new(), &CsvTables::new(), &[]).is_empty());
}

#[test]
fn the_tag_manifest_has_every_paper_but_itself() {
    let manifest = manifest();
    let tags = text(&manifest, &CsvTables::new(), &ALL, "tagmanifest-sha256.txt");
    let names: Vec<&str> = tags.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    assert_eq!(
        names,
        ["README.md", "bag-info.txt", "bagit.txt", "datapackage.json", "manifest-sha256.txt", "ro-crate-metadata.json"]
    );
    let digest = Sha256Digest::of(text(&manifest, &CsvTables::new(), &ALL, "ro-crate-metadata.json").as_bytes());
    assert!(tags.contains(&format!("{digest}  ro-crate-metadata.json\n")), "{tags}");
    let alone = text(&manifest, &CsvTables::new(), &[Profile::Bagit], "tagmanifest-sha256.txt");
    assert_eq!(alone.lines().count(), 4, "{alone}");
}

#[test]
fn a_bag_says_what_it_is() {
    let mut manifest = manifest();
    let info = text(&manifest, &CsvTables::new(), &ALL, "bag-info.txt");
    assert_eq!(
        info,
        "External-Identifier: 0123456789abcdef0123456789abcdef\n\
         External-Description: Trades and quotes for the paper. Second line.\n\
         Bagging-Date: 2024-04-01\n\
         Bag-Software-Agent: Portable Data Packager 0.1.0\n\
         Payload-Oxum: 20.2\n"
    );
    manifest.set_id = Some("ffff".parse().unwrap());
    (manifest.part_number, manifest.total_parts) = (Some(2), Some(3));
    let info = text(&manifest, &CsvTables::new(), &ALL, "bag-info.txt");
    assert!(info.ends_with("Bag-Group-Identifier: ffff\nBag-Count: 2 of 3\n"), "{info}");
}

#[test]
fn csv_is_a_table_with_the_columns_of_the_file_and_other_files_are_plain() {
    let mut manifest = manifest();
    let tables = with_csv(&mut manifest, columns(), true);
    let package = json(&manifest, &tables, "datapackage.json");
    let [csv, parquet] = package["resources"].as_array().unwrap().as_slice() else { unreachable!() };
    assert_eq!((&csv["type"], &csv["profile"]), (&"table".into(), &"tabular-data-resource".into()));
    assert_eq!(csv["dialect"]["delimiter"], ";");
    assert_eq!(csv["dialect"]["header"], true);
    assert_eq!(csv["hash"], format!("sha256:{}", "ab".repeat(32)));
    let [time, price] = csv["schema"]["fields"].as_array().unwrap().as_slice() else { unreachable!() };
    assert_eq!((&time["type"], &time["unit"]), (&"integer".into(), &"ms".into()));
    assert_eq!(time["description"], "time of the event, UTC; milliseconds since 1970-01-01T00:00:00Z");
    assert_eq!(time["constraints"]["required"], true);
    assert_eq!((&price["name"], &price["type"]), (&"Price".into(), &"number".into()));
    assert_eq!(price["description"], "price, in the quote currency", "by the manifest's field, whatever the case");
    assert!(price.get("constraints").is_none(), "{price}");
    assert_eq!((&parquet["type"], parquet.get("schema")), (&"file".into(), None));

    // Comments are skipped, but for those before a header.
    let commented = |manifest: &mut Manifest, has_header: bool| {
        let csv = manifest.files[0].csv.as_mut().unwrap();
        (csv.comment, csv.has_header) = (Some('#'), has_header);
        json(manifest, &tables, "datapackage.json")["resources"][0].clone()
    };
    assert_eq!(commented(&mut manifest, true)["type"], "file");
    assert_eq!(commented(&mut manifest, false)["dialect"]["commentChar"], "#");

    // A file with rows of other widths, and one whose header names a column twice, are no tables.
    let tables = with_csv(&mut manifest, columns(), false);
    assert_eq!(json(&manifest, &tables, "datapackage.json")["resources"][0]["type"], "file");
    let twice = columns().into_iter().map(|field| Field { name: "x".to_owned(), ..field }).collect();
    let tables = with_csv(&mut manifest, twice, true);
    assert_eq!(json(&manifest, &tables, "datapackage.json")["resources"][0]["type"], "file");
}

#[test]
fn an_event_types_schema_covers_all_its_files() {
    let mut manifest = manifest();
    let mut tables = with_csv(&mut manifest, columns(), true);
    let mut other = manifest.files[0].clone();
    other.path = path("data/2024-01-04/AAPL/Trade/2024-01-04.csv");
    let mut fields = columns();
    fields[0].example = Some("2024-01-04T14:30:00Z".into());
    fields.push(Field::new("note".to_owned(), FieldType::Null));
    tables.insert(other.path.clone(), CsvTable { fields, regular: false });
    manifest.files.push(other);
    let schemas = table_schemas(&manifest, &tables);
    let [(event_type, schema)] = schemas.as_slice() else { unreachable!() };
    assert_eq!(event_type.as_str(), "Trade");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let fields: Vec<_> = schema["fields"].as_array().unwrap().iter().collect();
    let text = |field: &Value, key: &str| field[key].as_str().unwrap().to_owned();
    let types: Vec<_> = fields.iter().map(|field| [text(field, "name"), text(field, "type")].join(" ")).collect();
    assert_eq!(types, ["timestamp string", "Price number", "note any"]);
    assert_eq!(fields[0]["constraints"]["required"], true);
    assert!(fields[2].get("constraints").is_none());
    assert!(table_schemas(&manifest, &CsvTables::new()).is_empty());
}

#[test]
fn a_licence_is_what_the_maker_says_and_nothing_else() {
    let mut manifest = manifest();
    manifest.custom_metadata.clear();
    let licences = |manifest: &Manifest| {
        let crated = json(manifest, &CsvTables::new(), "ro-crate-metadata.json");
        let packaged = json(manifest, &CsvTables::new(), "datapackage.json");
        let id = crated["@graph"][1]["license"]["@id"].clone();
        let entity = crated["@graph"].as_array().unwrap().iter().find(|entity| entity["@id"] == id).unwrap().clone();
        (id, entity["name"].clone(), packaged["licenses"][0].clone())
    };
    assert_eq!(licences(&manifest), ("#license".into(), "No licence stated".into(), Value::Null));
    for (said, id, licence) in [
        ("CC-BY-4.0", "#license", serde_json::json!({ "name": "CC-BY-4.0" })),
        ("https://example.org/l", "https://example.org/l", serde_json::json!({ "path": "https://example.org/l" })),
        ("ask\nus", "#license", serde_json::json!({ "name": "other", "title": "ask us" })),
        ("https://a b", "#license", serde_json::json!({ "name": "other", "title": "https://a b" })),
    ] {
        manifest.custom_metadata = [("License".to_owned(), said.into())].into();
        assert_eq!(licences(&manifest), (id.into(), said.replace('\n', " ").into(), licence), "{said:?}");
    }
}
