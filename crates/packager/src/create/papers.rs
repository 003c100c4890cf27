//! The members beside the data: README, metadata and scripts.

use pdp_archive::{ArchiveError, ContainerWriter, PackOptions, PreparedMember, pack as pack_sources, prepare};
use pdp_generate::{Paper, Texts, profiles};
use pdp_manifest::{Manifest, PackagePath, SupplementaryFile, listing};
use rayon::ThreadPool;

use super::source::{Source, TextSource};
use super::{CreateOptions, Gathered, quality};
use crate::PackagerError;
use crate::report::{HTML_PATH, JSON_PATH};

/// The texts of a package: those that come before the data and those behind it, each in the order of its paths.
pub(super) struct Papers {
    front: Vec<(PackagePath, String)>,
    rear: Vec<(PackagePath, String)>,
}

/// Writes the texts that were asked for.
pub(super) fn papers(
    options: &CreateOptions,
    manifest: &Manifest,
    gathered: &Gathered,
) -> Result<Papers, PackagerError> {
    let texts = Texts::new()?;
    let mut rear: Vec<(String, String)> = Vec::new();
    if options.data_dictionary {
        rear.push(("metadata/data_dictionary.md".into(), texts.data_dictionary(manifest)?));
    }
    if let Some(summary) = &manifest.quality {
        let report = quality::report(&gathered.quality, summary, manifest);
        rear.push((HTML_PATH.into(), texts.quality_page(&report, manifest)?));
        rear.push((JSON_PATH.into(), quality::json(&report)));
    }
    for (event_type, schema) in gathered.schemas.json_schemas() {
        rear.push((format!("metadata/schemas/{event_type}.json"), schema));
    }
    for (event_type, schema) in pdp_generate::table_schemas(manifest, &gathered.tables) {
        rear.push((format!("metadata/schemas/{event_type}.table.json"), schema));
    }
    if options.loader_scripts {
        rear.push(("scripts/load_data.R".into(), texts.r_loader(manifest)?));
        rear.push(("scripts/load_data.py".into(), texts.python_loader(manifest)?));
    }
    rear.extend(texts.import_scripts(manifest, &options.import_scripts)?);
    rear.extend(options.extras.iter().map(|(path, text)| (path.to_string(), text.clone())));
    let named = |(path, text): (String, String)| -> Result<_, PackagerError> {
        Ok((path.parse::<PackagePath>().map_err(ArchiveError::from)?, text))
    };
    let mut rear = rear.into_iter().map(named).collect::<Result<Vec<_>, _>>()?;
    rear.sort();
    let names = member_names(&rear, options);
    let mut front = vec![named(("README.md".into(), texts.readme(manifest, &names)?))?];
    let known: Vec<Paper<'_>> = front.iter().chain(&rear).map(|(path, text)| Paper { path, text }).collect();
    for (path, text) in profiles::texts(manifest, &options.profiles, &gathered.tables, &known) {
        // Members but the README are in the order of their names, and the data is one of them.
        let side = if path < "data/" { &mut front } else { &mut rear };
        side.push(named((path.to_owned(), text))?);
    }
    rear.sort();
    Ok(Papers { front, rear })
}

/// What the README lists.
fn member_names(rear: &[(PackagePath, String)], options: &CreateOptions) -> Vec<String> {
    let added = options.profiles.iter().flat_map(|profile| profiles::members(*profile)).map(|name| (*name).to_owned());
    let mut names: Vec<String> = rear.iter().map(|(path, _)| path.to_string()).chain(added).collect();
    names.sort();
    names
}

/// Packs the texts and completes the manifest with their checksums and the package's.
pub(super) fn pack(
    writer: &mut dyn ContainerWriter,
    pool: &ThreadPool,
    mut manifest: Manifest,
    papers: Papers,
) -> Result<(Manifest, Vec<PreparedMember>), PackagerError> {
    let codec = writer.codec();
    let front: Vec<PreparedMember> =
        papers.front.into_iter().map(|(path, text)| prepare(path, text.as_bytes(), codec)).collect();
    let mut facts: Vec<_> = front.iter().map(|member| member.facts.clone()).collect();
    let sources = papers.rear.into_iter().map(|(path, text)| Source::Text(TextSource::new(path, text)));
    pack_sources(writer, sources, &PackOptions { pool }, &mut |source, outcome| {
        let member = pdp_archive::MemberSource::path(&source).clone();
        facts.push(outcome.map_err(|source| ArchiveError::Source { member, source })?);
        Ok(())
    })?;
    manifest.supplementary_files = facts
        .iter()
        .map(|facts| SupplementaryFile {
            path: facts.path.clone(),
            size_bytes: Some(facts.size),
            checksum_sha256: Some(facts.sha256),
        })
        .collect();
    manifest.supplementary_files.sort_by(|a, b| a.path.cmp(&b.path));
    let all = manifest.declared().filter_map(|declared| Some((declared.path, declared.digest?)));
    manifest.package_checksum = Some(listing::package_checksum(all));
    Ok((manifest, front))
}
