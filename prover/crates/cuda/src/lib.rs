//! The CUDA library behind safe functions. It is loaded at run time and may be absent.

mod interface;
pub mod library;

pub use library::{Gpu, LoadError, LoadedKey};
