//! The lanes of a warp: one for each of its threads, each with its value in a row.

/// Threads of a warp.
pub const LANES: usize = 32;

/// A value for each thread.
pub type Row<T> = [T; LANES];

/// Numbers of the threads in a mask.
pub(super) fn lanes(mut threads: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        if threads == 0 {
            return None;
        }
        let lane = threads.trailing_zeros() as usize;
        threads &= threads - 1;
        Some(lane)
    })
}

/// Sets the values of some threads.
#[inline]
pub(super) fn put<T: Copy>(row: &mut Row<T>, value: Row<T>, threads: u32) {
    if threads == u32::MAX {
        *row = value;
        return;
    }
    for lane in 0..LANES {
        if threads >> lane & 1 != 0 {
            row[lane] = value[lane];
        }
    }
}
