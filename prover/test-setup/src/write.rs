//! snarkjs' binary frame and point forms.

use ark_bn254::{Fq, G1Affine, G2Affine};
use ark_ec::AffineRepr;

/// A file of numbered sections.
pub(crate) struct Binary {
    bytes: Vec<u8>,
    sections: u32,
}

const COUNT_AT: usize = 8;

impl Binary {
    pub fn new(magic: &str, version: u32) -> Self {
        let mut bytes = magic.as_bytes().to_vec();
        bytes.extend(version.to_le_bytes());
        bytes.extend(0u32.to_le_bytes());
        Self { bytes, sections: 0 }
    }

    pub fn section(&mut self, number: u32, content: Vec<u8>) {
        self.bytes.extend(number.to_le_bytes());
        self.bytes.extend((content.len() as u64).to_le_bytes());
        self.bytes.extend(content);
        self.sections += 1;
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.bytes[COUNT_AT..COUNT_AT + 4].copy_from_slice(&self.sections.to_le_bytes());
        self.bytes
    }
}

pub(crate) fn bytes_of_g1(points: &[G1Affine]) -> Vec<u8> {
    points
        .iter()
        .flat_map(|point| match point.xy() {
            Some((x, y)) => bytes_of([x, y]),
            None => vec![0; 64],
        })
        .collect()
}

pub(crate) fn bytes_of_g2(points: &[G2Affine]) -> Vec<u8> {
    points
        .iter()
        .flat_map(|point| match point.xy() {
            Some((x, y)) => bytes_of([x.c0, x.c1, y.c0, y.c1]),
            None => vec![0; 128],
        })
        .collect()
}

/// Montgomery form, as arkworks keeps it.
fn bytes_of<const N: usize>(coordinates: [Fq; N]) -> Vec<u8> {
    coordinates
        .iter()
        .flat_map(|element| element.0.0)
        .flat_map(u64::to_le_bytes)
        .collect()
}
