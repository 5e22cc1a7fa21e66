//! A circuit's terms by wire.

use haca_prover_formats::r1cs::{CircuitFile, Side};

/// Place of the value of a term that is not in the file: 1.
const ONE: u32 = u32::MAX;

/// The terms of one side, wire by wire, in the file's order.
pub struct Columns {
    /// terms of wire i are `starts[i]..starts[i + 1]`
    starts: Vec<u32>,
    terms: Vec<Entry>,
}

/// A term of a wire.
#[derive(Clone, Copy, Default)]
pub struct Entry {
    /// its row
    pub row: u32,
    place: u32,
}

impl Columns {
    /// The sides A, B and C. A has a row more for the constant and for each public wire: without it,
    /// nothing would hold a public wire that stands in no constraint.
    pub fn of(circuit: &CircuitFile) -> [Self; 3] {
        let wires = circuit.wire_count as usize;
        let mut sides = [(); 3].map(|()| Self {
            starts: vec![0; wires + 1],
            terms: Vec::new(),
        });
        for term in circuit.terms() {
            sides[number(term.side)].starts[term.wire as usize + 1] += 1;
        }
        for wire in 0..=circuit.public_count as usize {
            sides[number(Side::A)].starts[wire + 1] += 1;
        }
        let mut next = sides.each_mut().map(|side| {
            let mut sum = 0;
            for start in &mut side.starts {
                sum += *start;
                *start = sum;
            }
            side.terms = vec![Entry::default(); sum as usize];
            side.starts.clone()
        });
        let mut push = |side: usize, wire: u32, entry| {
            let position = &mut next[side][wire as usize];
            sides[side].terms[*position as usize] = entry;
            *position += 1;
        };
        for term in circuit.terms() {
            let entry = Entry {
                row: term.constraint,
                place: term.place,
            };
            push(number(term.side), term.wire, entry);
        }
        for wire in 0..=circuit.public_count {
            let entry = Entry {
                row: circuit.constraint_count + wire,
                place: ONE,
            };
            push(number(Side::A), wire, entry);
        }
        sides
    }

    /// The terms of one wire.
    pub fn wire(&self, wire: usize) -> &[Entry] {
        &self.terms[self.starts[wire] as usize..self.starts[wire + 1] as usize]
    }

    /// Number of terms of all wires.
    pub fn len(&self) -> usize {
        self.terms.len()
    }
}

impl Entry {
    /// The term's value.
    pub fn value(&self, circuit: &CircuitFile) -> [u64; 4] {
        if self.place == ONE {
            [1, 0, 0, 0]
        } else {
            circuit.value(self.place)
        }
    }
}

fn number(side: Side) -> usize {
    match side {
        Side::A => 0,
        Side::B => 1,
        Side::C => 2,
    }
}
