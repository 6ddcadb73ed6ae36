//! The files of a configuration: which they are, and what text is in them.

use super::problem::{Place, Problems};
use bridge_linux::system::read_regular_file;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The longest file that is read, a configuration or a chat script. A person writes less; whatever is longer is
/// something else.
const MOST_OCTETS: u64 = 1 << 20;

/// What a person wrote into a file.
///
/// # Errors
/// It cannot be read, is no regular file, or is longer than anybody writes.
pub(crate) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    read_regular_file(path, MOST_OCTETS)
}

/// What a person wrote into standard input.
pub(super) fn read_standard_input() -> io::Result<Vec<u8>> {
    bridge_linux::system::read_at_most(io::stdin().lock(), MOST_OCTETS)
}

/// The files of a configuration: `path`, if it is a file, then the drop-ins beside it; or those in it, if it is a
/// directory.
pub(super) fn files(path: &Path, problems: &mut Problems) -> Vec<PathBuf> {
    if path.is_dir() {
        let files = drop_ins(path, problems);
        if files.is_empty() && !problems.has_errors() {
            let what = format!("there is no *.toml in {}", path.display());
            problems.error(None, what, Some("put one there, or name a file".into()));
            problems.is_incomplete = true;
        }
        return files;
    }
    let beside = path.with_extension("d");
    let mut files = if beside == path { Vec::new() } else { drop_ins(&beside, problems) };
    if files.is_empty() || path.symlink_metadata().is_ok() {
        files.insert(0, path.to_owned());
    }
    files
}

/// The files `*.toml` of a directory. Hidden ones are somebody else's: editors keep their locks and drafts so.
fn drop_ins(directory: &Path, problems: &mut Problems) -> Vec<PathBuf> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Vec::new();
        }
        Err(error) => {
            let help = "make it readable, or take it away";
            problems.error(None, format!("cannot read {}: {error}", directory.display()), Some(help.into()));
            return Vec::new();
        }
    };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| {
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        !is_hidden && path.extension().is_some_and(|extension| extension == "toml")
    });
    files.sort();
    files.retain(|path| is_file(path, problems));
    files
}

/// Whether it is a file; what is not is told, for its name says that it was meant to be one.
fn is_file(path: &Path, problems: &mut Problems) -> bool {
    let what = match path.metadata() {
        Ok(metadata) if metadata.is_file() => return true,
        Ok(_) => "is not read, for it is not a file".to_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            "is not read, for it is a link to what is not there".to_owned()
        }
        Err(error) => format!("is not read: {error}"),
    };
    problems.warn(None, format!("{} {what}", path.display()), Some("mend it, or take it away".into()));
    false
}

/// The text of a file, with the number of its source; none if it is not one that can be parsed.
pub(super) fn text(
    path: &Path,
    octets: io::Result<Vec<u8>>,
    problems: &mut Problems,
) -> Option<(usize, String)> {
    let octets = match octets {
        Ok(octets) => octets,
        Err(error) => {
            let help = "name a readable file, or a directory with files *.toml";
            problems.error(None, format!("cannot read {}: {error}", path.display()), Some(help.into()));
            return None;
        }
    };
    let source = problems.add_source(path, showable(&octets));
    let (start, what, help) = match String::from_utf8(octets) {
        Ok(text) => match text.find('\0') {
            None => return Some((source, text)),
            Some(start) => (
                start,
                "here is a NUL octet, which no text has".to_owned(),
                "write the file anew: it was damaged, perhaps when the power failed".to_owned(),
            ),
        },
        Err(error) => {
            let start = error.utf8_error().valid_up_to();
            let octet = error.as_bytes().get(start).copied().unwrap_or_default();
            let help = match char::from(octet) {
                _ if start == 0 && matches!(octet, 0xfe | 0xff) => {
                    "save the file as UTF-8, not as UTF-16".into()
                }
                letter if letter.is_alphabetic() => {
                    format!("save the file as UTF-8; if it is in Latin-1 now, this is a `{letter}`")
                }
                _ => "save the file as UTF-8".to_owned(),
            };
            (start, format!("the octet {octet:#04x} here is not UTF-8"), help)
        }
    };
    problems.error(Some(Place::new(source, start..start + 1)), what, Some(help));
    None
}

/// The text with its octets where they were, whatever its encoding.
pub(super) fn showable(octets: &[u8]) -> String {
    let shown = |octet: &u8| if octet.is_ascii() && *octet != 0 { char::from(*octet) } else { '?' };
    match std::str::from_utf8(octets) {
        Ok(text) if !text.contains('\0') => text.to_owned(),
        _ => octets.iter().map(shown).collect(),
    }
}
