//! Processor time and memory of processes, as Linux accounts for them.

use std::fs;

/// Microseconds in one clock tick of `/proc/PID/stat` (USER_HZ is 100 on every Linux that Rust runs on).
const TICK_MICROS: u64 = 10_000;

/// Processor time used so far by `pid` and, when it is a PostgreSQL postmaster, by its backends, in microseconds.
pub fn cpu_micros_with_children(pid: u32) -> u64 {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    cpu_micros(pid) + children.map(cpu_micros).sum::<u64>()
}

/// User and system time used so far by one process, in microseconds; 0 when it is gone.
pub fn cpu_micros(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The command's name may hold spaces; what follows its closing parenthesis does not.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|field| field.parse::<u64>().ok())
            .unwrap_or(0)
    };
    (ticks(11) + ticks(12)) * TICK_MICROS
}

/// The most memory `pid` ever had resident, in kilobytes.
pub fn peak_memory_kb(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
