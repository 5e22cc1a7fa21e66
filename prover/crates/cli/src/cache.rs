//! Loaded keys, bounded in bytes.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use haca_prover_formats::FormatError;
use haca_prover_formats::mapped::MappedFile;
use haca_prover_formats::zkey::KeyFile;
use haca_prover_groth16::{ProverError, ProvingKey};

use crate::content::{ContentHash, FileIdentity};

/// Paths whose hash is remembered; beyond, all are forgotten (it only costs hashing again).
const REMEMBERED_PATHS: usize = 4096;

/// Why a key is not there.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The file cannot be read.
    #[error("{0}")]
    Unreadable(FormatError),
    /// The file is not a sound key.
    #[error("{path}: {source}")]
    Refused {
        /// the file
        path: String,
        /// why
        source: ProverError,
    },
    /// The file's content is not what the caller expected.
    #[error("{path}: its SHA-256 is {found}, {expected} expected")]
    HashMismatch {
        /// the file
        path: String,
        /// hash of the file
        found: ContentHash,
        /// hash asked for
        expected: ContentHash,
    },
    /// The key alone is larger than all keys together may be.
    #[error("{path}: a key of {bytes} bytes does not fit into the {limit} bytes for keys")]
    TooLarge {
        /// the file
        path: String,
        /// its size
        bytes: u64,
        /// the bound
        limit: usize,
    },
}

/// A key with its hash.
#[derive(Clone)]
pub struct Loaded {
    /// hash of its file
    pub hash: ContentHash,
    /// the key
    pub key: Arc<ProvingKey>,
    /// whether it was there already
    pub cached: bool,
}

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// keys found loaded
    pub hits: u64,
    /// keys that had to be loaded
    pub misses: u64,
    /// keys dropped for others
    pub evictions: u64,
}

/// The keys in memory. The least recently used go when others need the room.
pub struct KeyCache {
    limit: usize,
    state: Mutex<State>,
    /// held while a key is loaded: two requests for one key load it once, and never do two loads
    /// need memory at the same time
    loading: Mutex<()>,
}

#[derive(Default)]
struct State {
    keys: HashMap<ContentHash, Slot>,
    hashes: HashMap<PathBuf, (FileIdentity, ContentHash)>,
    clock: u64,
    bytes: usize,
    counts: CacheCounts,
}

struct Slot {
    key: Arc<ProvingKey>,
    bytes: usize,
    used: u64,
}

impl KeyCache {
    /// A cache of keys of up to `limit` bytes together.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            state: Mutex::default(),
            loading: Mutex::new(()),
        }
    }

    /// A loaded key.
    pub fn get(&self, hash: &ContentHash) -> Option<Arc<ProvingKey>> {
        let mut state = lock(&self.state);
        let key = state.touch(hash)?;
        state.counts.hits += 1;
        Some(key)
    }

    /// The key in a file, loaded if need be.
    ///
    /// # Errors
    /// [`CacheError`]; nothing is dropped from the cache then.
    pub fn load(&self, path: &Path, expected: Option<ContentHash>) -> Result<Loaded, CacheError> {
        let shown = || path.display().to_string();
        let unreadable = |source| {
            CacheError::Unreadable(FormatError::Io {
                path: shown(),
                source,
            })
        };
        let _loading = lock(&self.loading);
        let metadata = fs::metadata(path).map_err(unreadable)?;
        let identity = FileIdentity::of(&metadata);
        let matches = |found: ContentHash| match expected {
            Some(expected) if expected != found => Err(CacheError::HashMismatch {
                path: shown(),
                found,
                expected,
            }),
            _ => Ok(()),
        };

        let known = lock(&self.state).known(path, identity);
        if let Some(hash) = known {
            matches(hash)?;
            if let Some(key) = self.get(&hash) {
                return Ok(Loaded {
                    hash,
                    key,
                    cached: true,
                });
            }
        }
        if metadata.len() > self.limit as u64 {
            return Err(CacheError::TooLarge {
                path: shown(),
                bytes: metadata.len(),
                limit: self.limit,
            });
        }
        let file = MappedFile::open(path).map_err(CacheError::Unreadable)?;
        let hash = ContentHash::of(file.bytes());
        matches(hash)?;
        if let Some(key) = self.get(&hash) {
            lock(&self.state).remember(path, identity, hash);
            return Ok(Loaded {
                hash,
                key,
                cached: true,
            });
        }
        let key = KeyFile::read(file.bytes())
            .map_err(ProverError::from)
            .and_then(|file| ProvingKey::from_file(&file))
            .map_err(|source| CacheError::Refused {
                path: shown(),
                source,
            })?;
        drop(file);

        let bytes = key.bytes();
        if bytes > self.limit {
            let bytes = bytes as u64;
            return Err(CacheError::TooLarge {
                path: shown(),
                bytes,
                limit: self.limit,
            });
        }
        let key = Arc::new(key);
        let mut state = lock(&self.state);
        state.make_room(self.limit - bytes);
        state.insert(hash, Arc::clone(&key), bytes);
        state.remember(path, identity, hash);
        Ok(Loaded {
            hash,
            key,
            cached: false,
        })
    }

    /// Drops a key; whether it was there.
    pub fn unload(&self, hash: &ContentHash) -> bool {
        lock(&self.state).remove(hash)
    }

    /// Hashes and sizes of the loaded keys.
    pub fn list(&self) -> Vec<(ContentHash, usize)> {
        let mut list: Vec<_> = lock(&self.state)
            .keys
            .iter()
            .map(|(hash, slot)| (*hash, slot.bytes))
            .collect();
        list.sort_unstable();
        list
    }

    /// Counts since the start.
    pub fn counts(&self) -> CacheCounts {
        lock(&self.state).counts
    }

    /// Bytes that keys may have together.
    pub fn limit(&self) -> usize {
        self.limit
    }
}

impl State {
    fn touch(&mut self, hash: &ContentHash) -> Option<Arc<ProvingKey>> {
        self.clock += 1;
        let slot = self.keys.get_mut(hash)?;
        slot.used = self.clock;
        Some(Arc::clone(&slot.key))
    }

    fn known(&self, path: &Path, identity: FileIdentity) -> Option<ContentHash> {
        let (known, hash) = self.hashes.get(path)?;
        (*known == identity).then_some(*hash)
    }

    fn remember(&mut self, path: &Path, identity: FileIdentity, hash: ContentHash) {
        if self.hashes.len() >= REMEMBERED_PATHS {
            self.hashes.clear();
        }
        self.hashes.insert(path.to_owned(), (identity, hash));
    }

    fn make_room(&mut self, allowed: usize) {
        while self.bytes > allowed {
            let oldest = self
                .keys
                .iter()
                .min_by_key(|(_, slot)| slot.used)
                .map(|(hash, _)| *hash);
            let Some(oldest) = oldest else { break };
            self.remove(&oldest);
            self.counts.evictions += 1;
        }
    }

    fn insert(&mut self, hash: ContentHash, key: Arc<ProvingKey>, bytes: usize) {
        self.clock += 1;
        self.counts.misses += 1;
        self.bytes += bytes;
        self.keys.insert(
            hash,
            Slot {
                key,
                bytes,
                used: self.clock,
            },
        );
    }

    fn remove(&mut self, hash: &ContentHash) -> bool {
        let removed = self.keys.remove(hash);
        self.bytes -= removed.as_ref().map_or(0, |slot| slot.bytes);
        removed.is_some()
    }
}

/// A panic elsewhere leaves nothing half done in what these locks guard.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
