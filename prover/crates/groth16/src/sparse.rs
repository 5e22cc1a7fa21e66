//! The matrices A and B, row by row.

use std::collections::HashMap;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInt, Field};
use haca_prover_formats::zkey::{KeyFile, Matrix};

/// A sparse matrix. Circuits of models repeat few coefficients many times, so entries name their
/// value by its number: 8 bytes an entry instead of 44 in the file.
#[derive(Debug)]
pub(crate) struct SparseMatrix {
    /// entries of row i are `starts[i]..starts[i + 1]`
    pub(crate) starts: Vec<u32>,
    pub(crate) entries: Vec<Entry>,
}

/// An entry of a row.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Entry {
    /// its column
    pub signal: u32,
    /// its coefficient, by number
    pub value: u32,
}

/// The different coefficients of a circuit; the first two are 1 and -1.
#[derive(Debug)]
pub(crate) struct Values(Vec<Fr>);

const ONE: u32 = 0;
const MINUS_ONE: u32 = 1;

/// Both matrices of a key, with their coefficients.
pub(crate) fn read(key: &KeyFile) -> (SparseMatrix, SparseMatrix, Values) {
    let mut values = vec![Fr::ONE, -Fr::ONE];
    let mut numbers: HashMap<[u64; 4], u32> =
        HashMap::from([(scaled(Fr::ONE), ONE), (scaled(-Fr::ONE), MINUS_ONE)]);
    let mut matrix = |which| {
        let rows = 1usize << key.log_domain;
        let mut starts = vec![0u32; rows + 1];
        let own = || {
            key.coefficients()
                .filter(move |entry| entry.matrix == which)
        };
        own().for_each(|entry| starts[entry.constraint as usize + 1] += 1);
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        let mut entries = vec![Entry::default(); starts[rows] as usize];
        let mut positions = starts.clone();
        for entry in own() {
            let value = *numbers.entry(entry.scaled_value).or_insert_with(|| {
                values.push(unscaled(entry.scaled_value));
                values.len() as u32 - 1
            });
            let position = &mut positions[entry.constraint as usize];
            entries[*position as usize] = Entry {
                signal: entry.signal,
                value,
            };
            *position += 1;
        }
        SparseMatrix { starts, entries }
    };
    let (a, b) = (matrix(Matrix::A), matrix(Matrix::B));
    (a, b, Values(values))
}

/// v 2^512 as integer words; arkworks' own form of v is v 2^256.
fn scaled(value: Fr) -> [u64; 4] {
    (value * Fr::new_unchecked(Fr::R2)).0.0
}

fn unscaled(words: [u64; 4]) -> Fr {
    Fr::new_unchecked(BigInt(words)) * Fr::new_unchecked(BigInt([1, 0, 0, 0]))
}

impl SparseMatrix {
    /// One row times a vector.
    pub fn row_times(&self, row: usize, values: &Values, vector: &[Fr]) -> Fr {
        let entries = &self.entries[self.starts[row] as usize..self.starts[row + 1] as usize];
        entries.iter().fold(Fr::ZERO, |sum, entry| {
            let signal = &vector[entry.signal as usize];
            match entry.value {
                ONE => sum + signal,
                MINUS_ONE => sum - signal,
                value => sum + values.0[value as usize] * signal,
            }
        })
    }

    /// Bytes of memory held.
    pub fn bytes(&self) -> usize {
        size_of_val(&self.starts[..]) + size_of_val(&self.entries[..])
    }
}

impl Values {
    /// All of them, in Montgomery form.
    pub fn words(&self) -> Vec<[u64; 4]> {
        self.0.iter().map(|value| value.0.0).collect()
    }

    /// Bytes of memory held.
    pub fn bytes(&self) -> usize {
        size_of_val(&self.0[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_is_undone() {
        for value in [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from(123_456_789)] {
            assert_eq!(unscaled(scaled(value)), value);
        }
    }
}
