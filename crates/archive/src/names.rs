//! Which names can stand side by side in one package.

use std::collections::HashMap;

use pdp_manifest::PackagePath;

use crate::ArchiveError;

/// Names taken so far, compared as the least discerning system would: composed, without regard to case.
#[derive(Debug, Default)]
pub struct NameSet {
    files: HashMap<String, String>,
    /// Each with a file in it, for messages.
    directories: HashMap<String, String>,
}

impl NameSet {
    /// No names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `path` could be added.
    #[must_use]
    pub fn is_free(&self, path: &PackagePath) -> bool {
        self.conflict(&path.collision_key()).is_none()
    }

    /// Adds `path`.
    ///
    /// # Errors
    /// [`ArchiveError::Collision`] when it and an earlier name cannot both exist everywhere.
    pub fn insert(&mut self, path: &PackagePath) -> Result<(), ArchiveError> {
        let key = path.collision_key();
        if let Some((first, reason)) = self.conflict(&key) {
            return Err(ArchiveError::Collision { first, second: path.to_string(), reason });
        }
        for (at, _) in key.match_indices('/') {
            if let Some(directory) = key.get(..at) {
                self.directories.entry(directory.to_owned()).or_insert_with(|| path.to_string());
            }
        }
        self.files.insert(key, path.to_string());
        Ok(())
    }

    /// Adds a directory, which may be there already.
    ///
    /// # Errors
    /// [`ArchiveError::Collision`] when it or a directory above it is a file.
    pub fn insert_directory(&mut self, path: &PackagePath) -> Result<(), ArchiveError> {
        let key = path.collision_key();
        for (at, _) in key.match_indices('/').chain([(key.len(), "")]) {
            let directory = key.get(..at).unwrap_or(&key);
            if let Some(first) = self.files.get(directory) {
                let reason = "one is a directory of the other";
                return Err(ArchiveError::Collision { first: first.clone(), second: format!("{path}/"), reason });
            }
            self.directories.entry(directory.to_owned()).or_insert_with(|| format!("{path}/"));
        }
        Ok(())
    }

    fn conflict(&self, key: &str) -> Option<(String, &'static str)> {
        if let Some(first) = self.files.get(key) {
            return Some((first.clone(), "they are one file where case or Unicode composition does not count"));
        }
        if let Some(first) = self.directories.get(key) {
            return Some((first.clone(), "one is a directory of the other"));
        }
        key.match_indices('/')
            .filter_map(|(at, _)| self.files.get(key.get(..at)?))
            .next()
            .map(|first| (first.clone(), "one is a directory of the other"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t011_to_t015_collisions() {
        for (first, second) in [
            ("a.csv", "a.csv"),
            ("A.csv", "a.csv"),
            ("d/\u{e9}", "d/e\u{301}"),
            ("stra\u{df}e", "STRASSE"),
            ("a", "a/b"),
            ("a/b", "a"),
            ("x/A", "X/a/b"),
        ] {
            let mut names = NameSet::new();
            assert!(names.insert(&first.parse().unwrap()).is_ok());
            assert!(!names.is_free(&second.parse().unwrap()));
            let error = names.insert(&second.parse().unwrap());
            assert!(matches!(error, Err(ArchiveError::Collision { .. })), "{first} {second}");
        }
        let mut names = NameSet::new();
        names.insert(&"a/b".parse().unwrap()).unwrap();
        assert!(names.insert_directory(&"A/B".parse().unwrap()).is_err());
        assert!(names.insert_directory(&"a/b/c".parse().unwrap()).is_err());
        names.insert_directory(&"d/e".parse().unwrap()).unwrap();
        names.insert_directory(&"d/e".parse().unwrap()).unwrap();
        assert!(names.insert(&"d/E".parse().unwrap()).is_err());
        assert!(names.insert(&"D".parse().unwrap()).is_err());
        assert!(names.insert(&"d/e/f".parse().unwrap()).is_ok());
        let mut names = NameSet::new();
        for name in ["a/b", "a/c", "ab", "b/a"] {
            assert!(names.insert(&name.parse().unwrap()).is_ok(), "{name}");
        }
    }
}
