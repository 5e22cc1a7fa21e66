fn main(){ 
    let a: Vec<String> = std::env::args().collect();
    let z = haca_prover_formats::mapped::MappedFile::open(a[1].as_ref()).unwrap();
    let t = std::time::Instant::now();
    let kf = haca_prover_formats::zkey::KeyFile::read(z.bytes()).unwrap();
    let key = haca_prover_groth16::ProvingKey::from_file(&kf).unwrap();
    println!("load {:?} bytes {}", t.elapsed(), key.bytes());
    let wf = haca_prover_formats::mapped::MappedFile::open(a[2].as_ref()).unwrap();
    for _ in 0..4 {
    let t = std::time::Instant::now();
    let w = haca_prover_groth16::Witness::from_file(&haca_prover_formats::wtns::WitnessFile::read(wf.bytes()).unwrap());
    let tw = t.elapsed();
    let p = key.prove_unchecked(&w, haca_prover_groth16::Blinding::fresh().unwrap()).unwrap();
    let tp = t.elapsed();
    let ok = key.verifying().verify(&p, w.public(key.public_count())).unwrap();
    println!("wtns {tw:?} prove {tp:?} total {:?} ok {ok}", t.elapsed());
    }
}
