//! Memory of this process and machine.

/// Most bytes that this process has had in memory; zero where the system does not say.
pub fn peak_bytes() -> u64 {
    field("/proc/self/status", "VmHWM:")
}

/// Bytes of memory of the machine; zero where the system does not say.
pub fn machine_bytes() -> u64 {
    field("/proc/meminfo", "MemTotal:")
}

fn field(path: &str, name: &str) -> u64 {
    std::fs::read_to_string(path)
        .ok()
        .and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        })
        .map_or(0, |kilobytes| kilobytes * 1024)
}
