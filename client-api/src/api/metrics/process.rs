//! What the system says of this process, under the names that Prometheus gives it. Only where there is `/proc`.

use std::fs;

use super::text::Text;

/// The unit of memory that `/proc` counts in is written there itself, in kB.
const KILO: u64 = 1_024;

/// Adds what can be read.
pub(super) fn add(text: &mut Text) {
    if let Some(bytes) = fs::read_to_string("/proc/self/status").ok().and_then(|status| resident(&status)) {
        text.gauge("process_resident_memory_bytes", "Resident memory size in bytes.", bytes);
    }
    if let Some(open) = fs::read_dir("/proc/self/fd").ok().map(Iterator::count) {
        let open = u64::try_from(open).unwrap_or(u64::MAX);
        text.gauge("process_open_fds", "Number of open file descriptors.", open);
    }
    if let Some(most) = fs::read_to_string("/proc/self/limits").ok().and_then(|limits| files_max(&limits)) {
        text.gauge("process_max_fds", "Maximum number of open file descriptors.", most);
    }
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(KILO)
}

/// The soft limit of open files; none where there is no limit.
fn files_max(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_limits_are_read_as_the_system_writes_them() {
        assert_eq!(resident("Name:\txom\nVmHWM:\t  20 kB\nVmRSS:\t   12 kB\n"), Some(12_288));
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max open files            1024                 1048576              files\n";
        assert_eq!(files_max(limits), Some(1_024));
        assert_eq!(files_max("Max open files            unlimited            unlimited            files\n"), None);
        assert_eq!(resident(""), None);
    }
}
