//! What lies on a device for each key, bounded in bytes.

use std::sync::Weak;

/// Things kept for keys. The least recently used go when others need the room; those of keys that
/// are gone go first.
pub struct Resident<T> {
    limit: u64,
    bytes: u64,
    /// the most recently used last
    slots: Vec<Slot<T>>,
}

struct Slot<T> {
    life: Weak<()>,
    bytes: u64,
    thing: T,
}

impl<T> Resident<T> {
    /// Room for `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            bytes: 0,
            slots: Vec::new(),
        }
    }

    /// What is kept for a key.
    pub fn get(&mut self, life: &Weak<()>) -> Option<&mut T> {
        let position = self
            .slots
            .iter()
            .position(|slot| Weak::ptr_eq(&slot.life, life))?;
        let slot = self.slots.remove(position);
        self.slots.push(slot);
        self.slots.last_mut().map(|slot| &mut slot.thing)
    }

    /// Drops what is in the way of `bytes` more.
    ///
    /// # Errors
    /// When there is never so much room; nothing is dropped then.
    pub fn make_room(&mut self, bytes: u64) -> Result<(), String> {
        let limit = self.limit;
        let Some(allowed) = limit.checked_sub(bytes) else {
            return Err(format!(
                "a key of {bytes} bytes does not fit into the {limit} bytes for keys on the device"
            ));
        };
        self.drop_gone();
        while self.bytes > allowed {
            let oldest = self.slots.remove(0);
            self.bytes -= oldest.bytes;
        }
        Ok(())
    }

    /// Keeps `thing`, for which there is room.
    pub fn insert(&mut self, life: Weak<()>, bytes: u64, thing: T) {
        self.bytes += bytes;
        self.slots.push(Slot { life, bytes, thing });
    }

    /// Drops what is kept for a key.
    pub fn remove(&mut self, life: &Weak<()>) {
        self.keep(|slot| !Weak::ptr_eq(&slot.life, life));
    }

    /// Drops what is kept for keys that are gone.
    pub fn drop_gone(&mut self) {
        self.keep(|slot| slot.life.strong_count() > 0);
    }

    /// Bytes of all that is kept.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn keep(&mut self, keeps: impl Fn(&Slot<T>) -> bool) {
        self.slots.retain(keeps);
        self.bytes = self.slots.iter().map(|slot| slot.bytes).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn with(keys: &[(&Arc<()>, u64)], limit: u64) -> Resident<u64> {
        let mut resident = Resident::new(limit);
        for (key, bytes) in keys {
            resident.make_room(*bytes).unwrap();
            resident.insert(Arc::downgrade(key), *bytes, *bytes);
        }
        resident
    }

    fn has(resident: &mut Resident<u64>, key: &Arc<()>) -> bool {
        resident.get(&Arc::downgrade(key)).is_some()
    }

    #[test]
    fn the_least_recently_used_makes_room() {
        let keys: [Arc<()>; 3] = std::array::from_fn(|_| Arc::new(()));
        let mut resident = with(&[(&keys[0], 40), (&keys[1], 50)], 100);
        assert!(has(&mut resident, &keys[0]));
        resident.make_room(20).unwrap();
        assert!(!has(&mut resident, &keys[1]));
        assert!(has(&mut resident, &keys[0]));
        assert_eq!(resident.bytes(), 40);
    }

    #[test]
    fn what_belongs_to_keys_that_are_gone_goes_first() {
        let [gone, kept]: [Arc<()>; 2] = std::array::from_fn(|_| Arc::new(()));
        let mut resident = with(&[(&kept, 50), (&gone, 50)], 100);
        drop(gone);
        resident.make_room(50).unwrap();
        assert!(has(&mut resident, &kept));
        assert_eq!(resident.bytes(), 50);
    }

    #[test]
    fn what_never_fits_drops_nothing() {
        let key = Arc::new(());
        let mut resident = with(&[(&key, 100)], 100);
        let refusal = resident.make_room(101).unwrap_err();
        assert!(refusal.contains("101 bytes does not fit into the 100 bytes"));
        assert!(has(&mut resident, &key));
        resident.remove(&Arc::downgrade(&key));
        assert_eq!(resident.bytes(), 0);
    }
}
