//! One suite over every container: what goes in comes out, the bytes are reproducible, damage is noticed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use pdp_archive::folder::FolderWriter;
use pdp_archive::tar::TarGzWriter;
use pdp_archive::target::Existing;
use pdp_archive::zip::ZipWriter;
use pdp_archive::{
    ArchiveError, ContainerWriter, Limits, MemberFacts, MemberSource, PackOptions, Target, pack, prepare,
};
use pdp_manifest::{CompressionLevel, ManifestText, PackagePath, Sha256Digest};

struct Bytes {
    path: PackagePath,
    bytes: io::Cursor<Vec<u8>>,
    fails_to_open: bool,
    compressed: bool,
}

impl Bytes {
    fn new(path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let path = path.parse().unwrap();
        Self { path, bytes: io::Cursor::new(bytes.into()), fails_to_open: false, compressed: false }
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Short reads on purpose: a source may give as little as it likes.
        let most = buffer.len().min(50_000);
        self.bytes.read(&mut buffer[..most])
    }
}

impl MemberSource for Bytes {
    fn path(&self) -> &PackagePath {
        &self.path
    }
    fn open(&mut self) -> io::Result<u64> {
        if self.fails_to_open { Err(io::ErrorKind::NotFound.into()) } else { Ok(self.bytes.get_ref().len() as u64) }
    }
    fn expected_size(&self) -> u64 {
        self.bytes.get_ref().len() as u64
    }
    fn is_compressed(&self) -> bool {
        self.compressed
    }
}

fn lines(count: usize) -> Vec<u8> {
    (0..count)
        .flat_map(|i| format!("{{\"n\":{i},\"price\":{}.{:02}}}\n", 100 + i % 7, i * 31 % 100).into_bytes())
        .collect()
}

fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        })
        .collect()
}

fn sources() -> Vec<Bytes> {
    let mut already = Bytes::new("data/already.gz", lines(3000));
    already.compressed = true;
    vec![
        Bytes::new("data/a/one.jsonl", lines(1000)),
        Bytes::new("data/a/empty.jsonl", ""),
        Bytes::new("data/b/ünï cödé.csv", lines(10)),
        Bytes::new("data/b/noise.bin", noise(70_000)),
        Bytes::new("data/b/large.jsonl", lines(600_000)),
        Bytes::new("data/b/large-noise.bin", noise(9 << 20)),
        already,
        Bytes::new("metadata/x.json", "{}"),
    ]
}

fn manifest() -> ManifestText {
    let json =
        br#"{"packageVersion":"1.0.0","packageId":"x","name":"n","createdAt":"2024-01-03T12:00:00Z","format":"Zip",
        "packageSizeBytes":1,"totalFiles":0,"totalEvents":0,"files":[]}"#;
    ManifestText::new(&pdp_manifest::json::parse(json).unwrap())
}

type Make = fn(Target) -> Box<dyn ContainerWriter>;

fn zip(target: Target, level: CompressionLevel) -> Box<dyn ContainerWriter> {
    let time = pdp_manifest::time::parse("2024-01-03T12:00:00Z").unwrap();
    Box::new(ZipWriter::create(target, level, time).unwrap())
}

fn tar(target: Target, level: CompressionLevel) -> Box<dyn ContainerWriter> {
    let time = pdp_manifest::time::parse("2024-01-03T12:00:00Z").unwrap();
    Box::new(TarGzWriter::create(target, level, time).unwrap())
}

const CONTAINERS: [(&str, Make); 8] = [
    ("none.tar.gz", |target| tar(target, CompressionLevel::None)),
    ("fast.tar.gz", |target| tar(target, CompressionLevel::Fast)),
    ("balanced.tar.gz", |target| tar(target, CompressionLevel::Balanced)),
    ("none.zip", |target| zip(target, CompressionLevel::None)),
    ("fast.zip", |target| zip(target, CompressionLevel::Fast)),
    ("balanced.zip", |target| zip(target, CompressionLevel::Balanced)),
    ("maximum.zip", |target| zip(target, CompressionLevel::Maximum)),
    ("folder", |target| Box::new(FolderWriter::create(target).unwrap())),
];

fn write(home: &Path, name: &str, make: Make, threads: usize, sources: Vec<Bytes>) -> (PathBuf, Vec<MemberFacts>) {
    let mut writer = make(Target::new(home, name).unwrap());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let mut facts = Vec::new();
    pack(&mut *writer, sources, &PackOptions { pool: &pool }, &mut |_, outcome| {
        facts.push(outcome.unwrap());
        Ok(())
    })
    .unwrap();
    let front = prepare("README.md".parse().unwrap(), b"# read me\n", writer.codec());
    facts.push(front.facts.clone());
    let sealed = writer.seal(&manifest(), vec![front]).unwrap();
    (sealed.publish(Existing::KeepSame).unwrap(), facts)
}

fn read_all(path: &Path) -> Result<BTreeMap<String, Vec<u8>>, ArchiveError> {
    let reader = pdp_archive::open(path, &Limits::default())?;
    let found = Mutex::new(BTreeMap::new());
    reader.visit(&|_| true, &|info, body| {
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes).map_err(|e| pdp_archive::contract::member_error(info, &e))?;
        found.lock().unwrap().insert(info.path.to_string(), bytes);
        Ok(())
    })?;
    Ok(found.into_inner().unwrap())
}

#[test]
fn what_goes_in_comes_out_with_true_facts() {
    for (name, make) in CONTAINERS {
        let home = tempfile::tempdir().unwrap();
        let (path, facts) = write(home.path(), name, make, 2, sources());
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1, "{name}: nothing temporary stays");
        let members = read_all(&path).unwrap();
        assert_eq!(members.len(), facts.len() + 1, "{name}");
        for source in sources() {
            assert!(members[source.path.as_str()] == *source.bytes.get_ref(), "{name}: {}", source.path);
        }
        for fact in &facts {
            let bytes = &members[fact.path.as_str()];
            assert_eq!(fact.size, bytes.len() as u64, "{name}: {}", fact.path);
            assert_eq!(fact.sha256, Sha256Digest::of(bytes), "{name}: {}", fact.path);
            assert_eq!(fact.crc32, crc32fast::hash(bytes), "{name}: {}", fact.path);
        }
        let reader = pdp_archive::open(&path, &Limits::default()).unwrap();
        let text = String::from_utf8(members["manifest.json"].clone()).unwrap();
        assert_eq!(
            pdp_manifest::json::parse(text.as_bytes()).unwrap().package_size_bytes,
            Some(reader.size()),
            "{name}"
        );
        assert_eq!(reader.deviation(), None, "{name}");
        if name != "folder" {
            assert_eq!(reader.members()[0].path.as_str(), "manifest.json", "{name}");
            assert_eq!(reader.members()[1].path.as_str(), "README.md", "{name}");
            assert_eq!(reader.size(), std::fs::metadata(&path).unwrap().len());
            for info in reader.members().iter().filter(|info| info.path.as_str().contains("already")) {
                // Kept as they are, behind a tar header where there is one.
                assert!((info.size..info.size + 1500).contains(&info.stored_size), "{name}");
            }
        }
    }
}

#[test]
fn the_same_bytes_whatever_the_threads() {
    for (name, make) in CONTAINERS.into_iter().filter(|(name, _)| *name != "folder" && *name != "maximum.zip") {
        let mut digests = Vec::new();
        for threads in [1, 2, 5] {
            let home = tempfile::tempdir().unwrap();
            let (path, _) = write(home.path(), name, make, threads, sources());
            digests.push(Sha256Digest::of(&std::fs::read(path).unwrap()));
        }
        assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "{name}: {digests:?}");
    }
}

#[test]
fn the_zip_crate_reads_the_same() {
    let home = tempfile::tempdir().unwrap();
    for (name, make) in CONTAINERS.into_iter().filter(|(name, _)| name.ends_with(".zip")) {
        let (path, facts) = write(home.path(), name, make, 2, sources());
        let mut archive = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
        assert_eq!(archive.len(), facts.len() + 1);
        for fact in &facts {
            let mut bytes = Vec::new();
            archive.by_name(fact.path.as_str()).unwrap().read_to_end(&mut bytes).unwrap();
            assert_eq!(Sha256Digest::of(&bytes), fact.sha256, "{name}: {}", fact.path);
        }
    }
}

#[test]
fn a_source_that_cannot_be_opened_is_left_out_and_reported() {
    for (name, make) in CONTAINERS {
        let home = tempfile::tempdir().unwrap();
        let mut writer = make(Target::new(home.path(), name).unwrap());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let mut gone = Bytes::new("data/gone", "x");
        gone.fails_to_open = true;
        let mut large_gone = Bytes::new("data/large-gone", vec![0; 9 << 20]);
        large_gone.fails_to_open = true;
        let sources = vec![Bytes::new("data/a", "a"), gone, large_gone, Bytes::new("data/z", "z")];
        let mut outcomes = Vec::new();
        pack(&mut *writer, sources, &PackOptions { pool: &pool }, &mut |source, outcome| {
            outcomes.push((source.path.to_string(), outcome.is_ok()));
            Ok(())
        })
        .unwrap();
        let expected = [("data/a", true), ("data/gone", false), ("data/large-gone", false), ("data/z", true)];
        assert_eq!(outcomes, expected.map(|(path, ok)| (path.to_owned(), ok)));
        let path = writer.seal(&manifest(), Vec::new()).unwrap().publish(Existing::KeepSame).unwrap();
        assert_eq!(read_all(&path).unwrap().into_keys().collect::<Vec<_>>(), ["data/a", "data/z", "manifest.json"]);
    }
}

#[test]
fn dropping_an_unfinished_container_leaves_nothing() {
    for (name, make) in CONTAINERS {
        let home = tempfile::tempdir().unwrap();
        let mut writer = make(Target::new(home.path(), name).unwrap());
        writer.begin(&"a".parse().unwrap(), pdp_archive::Method::Store, 3).unwrap();
        writer.chunk(b"abc").unwrap();
        drop(writer);
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "{name}");
    }
}

#[test]
fn a_taken_name_is_kept_unless_it_holds_the_same() {
    let home = tempfile::tempdir().unwrap();
    let make: Make = |target| zip(target, CompressionLevel::Fast);
    let (path, _) = write(home.path(), "p.zip", make, 1, vec![Bytes::new("data/a", "a")]);
    let first = std::fs::read(&path).unwrap();
    write(home.path(), "p.zip", make, 1, vec![Bytes::new("data/a", "a")]);
    let mut writer = make(Target::new(home.path(), "p.zip").unwrap());
    writer.begin(&"b".parse().unwrap(), pdp_archive::Method::Store, 0).unwrap();
    let facts = prepare("b".parse().unwrap(), b"", pdp_archive::Codec::Raw).facts;
    writer.end(&facts).unwrap();
    let error = writer.seal(&manifest(), Vec::new()).unwrap().publish(Existing::KeepSame);
    assert!(matches!(error, Err(ArchiveError::Exists { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), first);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn names_that_collide_are_refused_by_every_writer() {
    for (name, make) in CONTAINERS {
        let home = tempfile::tempdir().unwrap();
        let mut writer = make(Target::new(home.path(), name).unwrap());
        let facts = prepare("data/A".parse().unwrap(), b"", pdp_archive::Codec::Raw).facts;
        writer.begin(&facts.path, facts.method, 0).unwrap();
        writer.end(&facts).unwrap();
        let error = writer.begin(&"DATA/a".parse().unwrap(), facts.method, 0);
        assert!(matches!(error, Err(ArchiveError::Collision { .. })), "{name}");
    }
}
