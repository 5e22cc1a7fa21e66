//! Loads PTX, launches kernels, reads back.

use haca_cuda_emulator::device::Device;
use haca_cuda_emulator::device::error::DeviceError;
use haca_cuda_emulator::device::request::Request;

/// What every module begins with.
pub const HEAD: &str = ".version 9.0\n.target sm_80\n.address_size 64\n";

/// A parameter of a kernel.
#[derive(Debug, Clone, Copy)]
pub enum Argument {
    Word(u32),
    Long(u64),
}

/// A device with a module on it; its kernels are numbered as they stand in the text.
pub struct Machine {
    pub device: Device,
    pub module: usize,
}

impl Machine {
    pub fn new(ptx: &str) -> Self {
        Self::with_seed(ptx, 1)
    }

    pub fn with_seed(ptx: &str, seed: u64) -> Self {
        let mut device = Device::new(seed);
        let module = device.load(ptx).unwrap();
        for (number, text) in ptx.split(".entry ").skip(1).enumerate() {
            let name = text.split(['(', ' ', '\n']).next().unwrap();
            device.define(module, number, name).unwrap();
        }
        Self { device, module }
    }

    /// Memory with these words in it.
    pub fn put(&mut self, words: &[u32]) -> u64 {
        let address = self.device.allocate(words.len() * 4, 0).unwrap();
        let bytes = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.device.write(vec![(address, bytes)], 0).unwrap();
        self.device.synchronise(0).unwrap();
        address
    }

    pub fn get(&mut self, address: u64, count: usize) -> Result<Vec<u32>, DeviceError> {
        let bytes = self.device.read(address, count * 4, 0)?;
        Ok(words_of(bytes))
    }

    pub fn request(
        &self,
        function: usize,
        blocks: [u32; 3],
        threads: [u32; 3],
        arguments: &[Argument],
    ) -> Request {
        let places = self.device.parameters(function).unwrap();
        assert_eq!(places.len(), arguments.len());
        let mut parameters = Vec::new();
        for ((at, size), argument) in places.into_iter().zip(arguments) {
            parameters.resize(at, 0);
            match argument {
                Argument::Word(word) => parameters.extend_from_slice(&word.to_le_bytes()[..size]),
                Argument::Long(long) => parameters.extend_from_slice(&long.to_le_bytes()[..size]),
            }
        }
        Request {
            function,
            blocks,
            threads,
            dynamic_shared: 0,
            parameters,
            is_cooperative: false,
        }
    }

    /// Runs the first kernel to its end.
    pub fn run(
        &mut self,
        blocks: u32,
        threads: u32,
        arguments: &[Argument],
    ) -> Result<(), DeviceError> {
        let request = self.request(0, [blocks, 1, 1], [threads, 1, 1], arguments);
        self.finish(request)
    }

    /// Launches a kernel and waits for it.
    pub fn finish(&mut self, request: Request) -> Result<(), DeviceError> {
        self.device.launch(request, 0)?;
        self.device.synchronise(0)
    }
}

pub fn words_of(bytes: &[u8]) -> Vec<u32> {
    let words = bytes.chunks_exact(4);
    words
        .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
        .collect()
}

/// Registers for tests' bodies.
const REGISTERS: &str = "
.reg .pred %p<16>;
.reg .b16 %h<16>;
.reg .b32 %r<64>;
.reg .b64 %R<16>;
.reg .b32 %a<24>;
.reg .b64 %A<24>;
.reg .b32 %o<16>;
.reg .b64 %O<16>;
.reg .b32 %i<8>;
.reg .b64 %I<8>;
";

/// A kernel whose parameter `out` is an address, in `%I0`; `%i0` is the thread's number in its
/// block, `%i1` that of the block, and `%I1` the address of the thread's own word.
pub fn kernel(body: &str) -> String {
    [
        HEAD,
        ".extern .shared .align 16 .b8 dynamic[];\n.visible .entry k(.param .u64 out)\n{",
        REGISTERS,
        "ld.param.u64 %I0, [out];
mov.u32 %i0, %tid.x;
mov.u32 %i1, %ctaid.x;
mov.u32 %i2, %ntid.x;
mad.lo.u32 %i2, %i1, %i2, %i0;
mul.wide.u32 %I1, %i2, 4;
add.u64 %I1, %I0, %I1;
",
        body,
        "\nret;\n}\n",
    ]
    .concat()
}

/// Runs such a kernel with a word for each thread, which is 0 at first.
pub fn run(ptx: &str, blocks: u32, threads: u32) -> Result<Vec<u32>, DeviceError> {
    run_with(&mut Machine::new(ptx), blocks, threads)
}

pub fn run_with(machine: &mut Machine, blocks: u32, threads: u32) -> Result<Vec<u32>, DeviceError> {
    let count = (blocks * threads) as usize;
    let out = machine.put(&vec![0; count]);
    machine.run(blocks, threads, &[Argument::Long(out)])?;
    machine.get(out, count)
}

/// That a kernel fails at the line where `at` stands, for that reason.
#[track_caller]
pub fn assert_kernel_error(
    ptx: &str,
    outcome: Result<impl std::fmt::Debug, DeviceError>,
    at: &str,
    place: &str,
    reason: &str,
) {
    let line = line_of(ptx, at);
    let error = outcome.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, DeviceError::Sticky(_)), "{text}");
    let start = format!("k, PTX line {line}, {place}: ");
    assert!(text.starts_with(&start), "{text}, not {start}");
    assert!(text.contains(reason), "{text}, not {reason}");
}

/// The first line in which a text stands, counted from 1.
#[track_caller]
pub fn line_of(ptx: &str, text: &str) -> usize {
    let found = ptx.lines().position(|line| line.contains(text));
    found.unwrap_or_else(|| panic!("no {text}")) + 1
}

/// What threads computed: for each of them 16 words and 16 longs.
pub struct Answers {
    pub words: Vec<Vec<u32>>,
    pub longs: Vec<Vec<u64>>,
}

/// Runs `body` in a thread for each of the inputs. Number n of a thread's input is in `%An`, its
/// lower half in `%an`; answers are in `%o0…` and `%O0…`.
pub fn compute(body: &str, inputs: &[Vec<u64>]) -> Answers {
    const OUTPUTS: usize = 16;
    const BYTES: usize = OUTPUTS * 12;
    let arity = inputs[0].len();
    let threads = inputs.len().min(128);
    let blocks = inputs.len().div_ceil(threads);
    let mut text = [
        HEAD,
        ".visible .entry k(.param .u64 in, .param .u64 out)\n{",
        REGISTERS,
    ]
    .concat();
    text += &format!(
        "mov.u32 %i0, %tid.x;\nmov.u32 %i1, %ctaid.x;\nmad.lo.u32 %i2, %i1, {threads}, %i0;
ld.param.u64 %I0, [in];\nmul.wide.u32 %I1, %i2, {};\nadd.u64 %I0, %I0, %I1;
ld.param.u64 %I2, [out];\nmul.wide.u32 %I1, %i2, {BYTES};\nadd.u64 %I2, %I2, %I1;\n",
        arity * 8
    );
    for n in 0..arity {
        let at = n * 8;
        text += &format!("ld.global.u64 %A{n}, [%I0+{at}];\nld.global.u32 %a{n}, [%I0+{at}];\n");
    }
    text += body;
    for n in 0..OUTPUTS {
        let (long, word) = (n * 8, OUTPUTS * 8 + n * 4);
        text +=
            &format!("st.global.u64 [%I2+{long}], %O{n};\nst.global.u32 [%I2+{word}], %o{n};\n");
    }
    text += "}\n";
    let mut machine = Machine::new(&text);
    let mut padded = inputs.to_vec();
    padded.resize(blocks * threads, inputs[0].clone());
    let words: Vec<u32> = padded
        .iter()
        .flatten()
        .flat_map(|long| [*long as u32, (*long >> 32) as u32])
        .collect();
    let input = machine.put(&words);
    let output = machine.put(&vec![0; padded.len() * BYTES / 4]);
    let arguments = [Argument::Long(input), Argument::Long(output)];
    machine
        .run(blocks as u32, threads as u32, &arguments)
        .unwrap();
    let found = machine.get(output, padded.len() * BYTES / 4).unwrap();
    let of_threads = || found.chunks_exact(BYTES / 4).take(inputs.len());
    let long = |pair: &[u32]| u64::from(pair[0]) | u64::from(pair[1]) << 32;
    Answers {
        words: of_threads()
            .map(|found| found[OUTPUTS * 2..].to_vec())
            .collect(),
        longs: of_threads()
            .map(|found| found[..OUTPUTS * 2].chunks_exact(2).map(long).collect())
            .collect(),
    }
}

/// Numbers for inputs, the same for the same seed; many of them lie at an edge.
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1)
    }

    pub fn long(&mut self) -> u64 {
        const EDGES: [u64; 10] = [
            0,
            1,
            2,
            0x7fff_ffff,
            0x8000_0000,
            0xffff_ffff,
            0x8000_0000_0000_0000,
            0x7fff_ffff_ffff_ffff,
            u64::MAX,
            0xffff_ffff_0000_0000,
        ];
        match self.below(4) {
            0 => EDGES[self.below(EDGES.len())],
            _ => self.next(),
        }
    }

    pub fn word(&mut self) -> u32 {
        self.long() as u32
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 20) as usize % bound
    }

    /// Inputs for so many threads.
    pub fn inputs(&mut self, threads: usize, arity: usize) -> Vec<Vec<u64>> {
        let thread = |draw: &mut Self| (0..arity).map(|_| draw.long()).collect();
        (0..threads).map(|_| thread(self)).collect()
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
