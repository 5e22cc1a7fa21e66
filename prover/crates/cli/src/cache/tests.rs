//! Keys by content, within bounds.

use haca_prover_test_setup::circuits::{Kind, synthetic};
use haca_prover_test_setup::write_zkey;
use tempfile::TempDir;

use super::*;

fn key_file(folder: &TempDir, name: &str, seed: u64) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(
        &path,
        write_zkey(&synthetic(Kind::Dense, 20, 1, seed), seed),
    )
    .unwrap();
    path
}

fn size_of_one(path: &Path) -> usize {
    KeyCache::new(usize::MAX)
        .load(path, None)
        .unwrap()
        .key
        .bytes()
}

#[test]
fn one_content_under_two_names_is_one_key() {
    let folder = TempDir::new().unwrap();
    let (first, second) = (key_file(&folder, "a", 1), key_file(&folder, "b", 1));
    let cache = KeyCache::new(1 << 30);
    let loaded = cache.load(&first, None).unwrap();
    assert!(!loaded.cached);
    let again = cache.load(&second, Some(loaded.hash)).unwrap();
    assert!(again.cached && Arc::ptr_eq(&loaded.key, &again.key));
    assert_eq!(cache.list().len(), 1);
}

#[test]
fn a_replaced_file_is_another_key() {
    let folder = TempDir::new().unwrap();
    let path = key_file(&folder, "a", 1);
    let cache = KeyCache::new(1 << 30);
    let first = cache.load(&path, None).unwrap();
    assert!(cache.load(&path, None).unwrap().cached);
    key_file(&folder, "a", 2);
    let second = cache.load(&path, None).unwrap();
    assert!(!second.cached && first.hash != second.hash);
    let mismatch = cache.load(&path, Some(first.hash)).err();
    assert!(matches!(mismatch, Some(CacheError::HashMismatch { .. })));
}

#[test]
fn the_least_recently_used_key_makes_room() {
    let folder = TempDir::new().unwrap();
    let paths: Vec<_> = (0..3)
        .map(|seed| key_file(&folder, &seed.to_string(), seed))
        .collect();
    // A few bytes of slack: keys of one shape differ in their number of distinct coefficients.
    let cache = KeyCache::new(size_of_one(&paths[0]) * 5 / 2);
    let first = cache.load(&paths[0], None).unwrap().hash;
    let second = cache.load(&paths[1], None).unwrap().hash;
    assert!(cache.get(&first).is_some());
    cache.load(&paths[2], None).unwrap();
    assert!(
        cache.get(&second).is_none(),
        "the second was used least recently"
    );
    assert!(cache.get(&first).is_some());
    assert_eq!(cache.counts().evictions, 1);
    let total: usize = cache.list().iter().map(|(_, bytes)| bytes).sum();
    assert!(total <= cache.limit());
}

#[test]
fn a_key_beyond_the_bound_is_refused_and_drops_nothing() {
    let folder = TempDir::new().unwrap();
    let small = key_file(&folder, "small", 1);
    let cache = KeyCache::new(size_of_one(&small) * 2);
    let hash = cache.load(&small, None).unwrap().hash;
    let large = folder.path().join("large");
    fs::write(&large, write_zkey(&synthetic(Kind::Dense, 400, 1, 3), 3)).unwrap();
    assert!(matches!(
        cache.load(&large, None).err(),
        Some(CacheError::TooLarge { .. })
    ));
    assert!(cache.get(&hash).is_some());
}

#[test]
fn unloading_frees_the_bytes() {
    let folder = TempDir::new().unwrap();
    let path = key_file(&folder, "a", 1);
    let cache = KeyCache::new(1 << 30);
    let hash = cache.load(&path, None).unwrap().hash;
    assert!(cache.unload(&hash));
    assert!(!cache.unload(&hash));
    assert_eq!(cache.list(), []);
    assert!(!cache.load(&path, None).unwrap().cached);
}

#[test]
fn files_that_are_not_keys_are_named() {
    let folder = TempDir::new().unwrap();
    let cache = KeyCache::new(1 << 30);
    let missing = folder.path().join("missing");
    assert!(matches!(
        cache.load(&missing, None).err(),
        Some(CacheError::Unreadable(_))
    ));
    assert!(matches!(
        cache.load(folder.path(), None).err(),
        Some(CacheError::Unreadable(_))
    ));
    let text = folder.path().join("text");
    fs::write(&text, "hello").unwrap();
    assert!(matches!(
        cache.load(&text, None).err(),
        Some(CacheError::Refused { .. })
    ));
    fs::write(&text, "").unwrap();
    assert!(matches!(
        cache.load(&text, None).err(),
        Some(CacheError::Refused { .. })
    ));
}
