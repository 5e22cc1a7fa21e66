//! Circuits as circom writes them.

use ark_bn254::Fr;
use ark_ff::PrimeField;

use crate::circuit::Circuit;
use crate::write::Binary;

/// A `.r1cs` of the circuit; its public signals are inputs.
pub fn write_r1cs(circuit: &Circuit) -> Vec<u8> {
    let integer = |value: &Fr| {
        value
            .into_bigint()
            .0
            .into_iter()
            .flat_map(u64::to_le_bytes)
            .collect::<Vec<_>>()
    };
    let wires = circuit.witness.len();
    let mut header = 32u32.to_le_bytes().to_vec();
    header.extend(Fr::MODULUS.0.iter().flat_map(|word| word.to_le_bytes()));
    let private = wires - circuit.public_count - 1;
    for number in [wires, 0, circuit.public_count, private] {
        header.extend((number as u32).to_le_bytes());
    }
    header.extend((wires as u64).to_le_bytes());
    header.extend((circuit.constraints.len() as u32).to_le_bytes());

    let mut constraints = Vec::new();
    for side in circuit.constraints.iter().flatten() {
        constraints.extend((side.len() as u32).to_le_bytes());
        for (wire, value) in side {
            constraints.extend(wire.to_le_bytes());
            constraints.extend(integer(value));
        }
    }
    let mut file = Binary::new("r1cs", 1);
    file.section(1, header);
    file.section(2, constraints);
    file.section(3, (0..wires as u64).flat_map(u64::to_le_bytes).collect());
    file.finish()
}
