//! What the system tells of a running process: processor time and memory. Linux only; elsewhere nothing is told.

use std::fs;
use std::time::Duration;

/// Ticks of a second in `/proc`: the same on every Linux that programs see.
const TICKS_A_SECOND: u64 = 100;

/// Processor time that a process has used, its own and the system's for it, in steps of ten milliseconds.
pub fn processor_time(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program, in parentheses, may hold spaces; user and system time are fields 14 and 15.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1_000 / TICKS_A_SECOND))
}

/// Resident memory of a process, bytes.
pub fn resident_bytes(pid: u32) -> Option<u64> {
    memory_line(pid, "VmRSS:")
}

/// The most resident memory that a process has had since its start, or since [`forget_peak`], bytes.
pub fn peak_bytes(pid: u32) -> Option<u64> {
    memory_line(pid, "VmHWM:")
}

/// Begins to measure the peak anew. Where that does not work, the peak since the start is an upper bound all the same.
pub fn forget_peak(pid: u32) {
    let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

fn memory_line(pid: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok().map(|kib: u64| kib << 10)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_uses_time_and_memory() {
        let pid = std::process::id();
        let before = processor_time(pid).expect("Linux tells");
        let mut sum = 0_u64;
        crate::wait_until("time goes by", Duration::from_secs(30), || {
            sum = (0..1_000_000).fold(sum, |sum, number| sum.wrapping_mul(31) ^ number);
            (processor_time(pid).expect("Linux tells") > before).then_some(sum)
        });
        assert!(resident_bytes(pid).expect("Linux tells") > 1 << 20);
        assert!(peak_bytes(pid).expect("Linux tells") >= resident_bytes(pid).expect("Linux tells") / 2);
    }
}
