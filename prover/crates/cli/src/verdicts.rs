//! Keys that were checked, remembered between runs of the program.
//!
//! The list is a file in the user's cache folder: hashes of keys whose every point was checked by a
//! program of this version. Whoever can write it could replace the program as well, so it is worth
//! as much as the file system's rights: file and folder must belong to this process's user and be
//! writable by nobody else, or there is no list. Should a line be forged all the same, then the key
//! passes for checked, and its proofs do not: see [`haca_prover_groth16::KeyTrust`].

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::content::ContentHash;

/// Keys that are remembered; the oldest go.
const MOST: usize = 256;
/// A hash and the end of its line.
const LINE_BYTES: usize = 65;
/// What was checked is what this version checks.
const HEADER: &str = concat!("haca-prover ", env!("CARGO_PKG_VERSION"), " checked keys\n");

const NAME: &str = "checked-keys";
const OTHERS_MAY_WRITE: u32 = 0o022;

/// The list.
#[derive(Debug)]
pub struct Verdicts {
    folder: PathBuf,
    user: u32,
}

impl Verdicts {
    /// The user's list: `haca-prover/checked-keys` in `XDG_CACHE_HOME`, or in `.cache` at home. None
    /// where there is no such folder, or where the system does not say who the user is.
    pub fn of_user() -> Option<Self> {
        let variable = |name| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let caches = variable("XDG_CACHE_HOME")
            .or_else(|| variable("HOME").map(|home| home.join(".cache")))?;
        let user = fs::metadata("/proc/self").ok()?.uid();
        Some(Self {
            folder: caches.join("haca-prover"),
            user,
        })
    }

    /// Whether a key with this hash was checked.
    pub fn holds(&self, hash: &ContentHash) -> bool {
        self.read().contains(hash)
    }

    /// Remembers a checked key. A list that cannot be written costs the next run a check.
    pub fn add(&self, hash: ContentHash) {
        let mut hashes = self.read();
        hashes.retain(|known| *known != hash);
        hashes.push(hash);
        let surplus = hashes.len().saturating_sub(MOST);
        let _unwritten: io::Result<()> = self.write(&hashes[surplus..]);
    }

    /// The list; empty where there is none that may be believed.
    fn read(&self) -> Vec<ContentHash> {
        self.read_text()
            .ok()
            .flatten()
            .and_then(|text| parse(&text))
            .unwrap_or_default()
    }

    fn read_text(&self) -> io::Result<Option<String>> {
        let folder = fs::symlink_metadata(&self.folder)?;
        if !folder.is_dir() || !self.is_ours(&folder) {
            return Ok(None);
        }
        let file = File::open(self.path())?;
        let metadata = file.metadata()?;
        if !metadata.is_file() || !self.is_ours(&metadata) {
            return Ok(None);
        }
        let most = HEADER.len() + MOST * LINE_BYTES;
        let mut text = String::new();
        file.take(most as u64 + 1).read_to_string(&mut text)?;
        Ok((text.len() <= most).then_some(text))
    }

    fn is_ours(&self, metadata: &Metadata) -> bool {
        metadata.uid() == self.user && metadata.mode() & OTHERS_MAY_WRITE == 0
    }

    /// Under another name first, so that a reader never sees half a list.
    fn write(&self, hashes: &[ContentHash]) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)?;
        let unfinished = self.folder.join(format!("{NAME}.{}", std::process::id()));
        let mut text = HEADER.to_owned();
        for hash in hashes {
            text.push_str(&format!("{hash}\n"));
        }
        let result =
            write_new(&unfinished, &text).and_then(|()| fs::rename(&unfinished, self.path()));
        if result.is_err() {
            let _gone: io::Result<()> = fs::remove_file(&unfinished);
        }
        result
    }

    fn path(&self) -> PathBuf {
        self.folder.join(NAME)
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// The hashes of a list that is whole.
fn parse(text: &str) -> Option<Vec<ContentHash>> {
    text.strip_prefix(HEADER)?
        .split_inclusive('\n')
        .map(|line| ContentHash::parse(line.strip_suffix('\n')?))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn list_in(folder: &Path) -> Verdicts {
        let user = fs::metadata("/proc/self").unwrap().uid();
        let folder = folder.join("haca-prover");
        Verdicts { folder, user }
    }

    #[test]
    fn a_key_is_remembered_for_the_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (list, hash) = (list_in(folder.path()), ContentHash::of(b"a"));
        assert!(!list.holds(&hash));
        list.add(hash);
        assert!(list.holds(&hash) && !list.holds(&ContentHash::of(b"b")));
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&list.folder), mode(&list.path())), (0o700, 0o600));
        assert_eq!(fs::read_dir(&list.folder).unwrap().count(), 1);
    }

    #[test]
    fn the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let list = list_in(folder.path());
        let hash = |number: usize| ContentHash::of(&number.to_le_bytes());
        for number in 0..MOST {
            list.add(hash(number));
        }
        list.add(hash(0));
        list.add(hash(MOST));
        assert!(list.holds(&hash(0)) && !list.holds(&hash(1)) && list.holds(&hash(MOST)));
        assert_eq!(list.read().len(), MOST);
    }

    #[test]
    fn a_list_that_others_can_write_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (list, hash) = (list_in(folder.path()), ContentHash::of(b"a"));
        list.add(hash);
        for (path, open, closed) in [
            (list.path(), 0o620, 0o600),
            (list.path(), 0o602, 0o600),
            (list.folder.clone(), 0o777, 0o700),
        ] {
            let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            set(open);
            assert!(!list.holds(&hash), "{open:o}");
            set(closed);
            assert!(list.holds(&hash));
        }
        let (folder, user) = (list.folder.clone(), list.user + 1);
        assert!(!Verdicts { folder, user }.holds(&hash));
    }

    #[test]
    fn a_list_that_is_not_whole_counts_for_nothing_and_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (list, hash) = (list_in(folder.path()), ContentHash::of(b"a"));
        list.add(hash);
        let whole = fs::read_to_string(list.path()).unwrap();
        for broken in [
            String::new(),
            whole.trim_end().to_owned(),
            whole.replace("haca-prover", "haca-prover 0"),
            format!("{whole}x\n"),
            whole.clone() + &format!("{hash}\n").repeat(MOST),
        ] {
            fs::write(list.path(), &broken).unwrap();
            assert!(!list.holds(&hash), "{broken}");
            list.add(hash);
            assert_eq!(fs::read_to_string(list.path()).unwrap(), whole);
        }
    }
}
