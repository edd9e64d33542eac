//! How much memory a process may take, and the part of it that each isolate has.
//!
//! The parts are fixed when the number of workers is known, so the isolates together keep under the
//! cap whatever each of them does, and none has to ask another.

use std::path::{Path, PathBuf};

/// The cap of a process, of the memory there is: 80 %.
const PART_PERCENT: usize = 80;
/// An isolate with less than this can do nothing useful.
const LEAST: usize = 32 << 20;
/// Where the system tells what groups of processes may take.
const GROUPS: &str = "/sys/fs/cgroup";

/// Most bytes a process takes if nothing else is said; nothing where the system does not say how much
/// memory there is.
pub fn usual_cap() -> Option<usize> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let allowed = limits_of(&groups).into_iter().filter_map(|file| bytes_in(&file));
    let there = machine().into_iter().chain(allowed).min()?;
    Some(there / 100 * PART_PERCENT)
}

/// The part of each of so many isolates.
pub(crate) fn part(cap: usize, isolates: usize) -> Result<usize, String> {
    let part = cap / isolates;
    if part < LEAST {
        let [cap, part, least] = [cap, part, LEAST].map(|bytes| bytes >> 20);
        return Err(format!(
            "{isolates} isolates would have {part} MB each of the {cap} MB the process may take, and need {least} MB"
        ));
    }
    Ok(part)
}

/// The memory of the machine.
fn machine() -> Option<usize> {
    let about = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = about.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: usize = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes << 10)
}

/// The files with the limits of the process's group and of those around it, version 2 of control
/// groups and version 1, as `/proc/self/cgroup` names the groups.
fn limits_of(groups: &str) -> Vec<PathBuf> {
    let mut files = vec![];
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else {
            continue;
        };
        let (root, file) = match controllers {
            "" => (PathBuf::from(GROUPS), "memory.max"),
            named if named.split(',').any(|name| name == "memory") => {
                (Path::new(GROUPS).join("memory"), "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let own = root.join(group.trim_start_matches('/'));
        let around = own.ancestors().take_while(|group| group.starts_with(&root));
        files.extend(around.map(|group| group.join(file)));
    }
    files
}

/// The number in a file; nothing for `max`.
fn bytes_in(file: &Path) -> Option<usize> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_looked_up_to_their_root() {
        let files = limits_of("5:cpu,cpuacct:/a\n4:memory:/box\n0::/site/app\nnonsense\n");
        let names: Vec<&str> = files.iter().filter_map(|file| file.to_str()).collect();
        assert_eq!(
            names,
            [
                "/sys/fs/cgroup/memory/box/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/site/app/memory.max",
                "/sys/fs/cgroup/site/memory.max",
                "/sys/fs/cgroup/memory.max",
            ]
        );
    }

    #[test]
    fn the_usual_cap_leaves_some_for_others() {
        let (Some(cap), Some(there)) = (usual_cap(), machine()) else {
            return;
        };
        assert!(cap > 0 && cap <= there / 100 * 80, "{cap} of {there}");
    }

    #[test]
    fn parts_are_equal_and_large_enough_to_be_of_use() {
        assert_eq!(part(256 << 20, 4), Ok(64 << 20));
        let wrong = "16 isolates would have 16 MB each of the 256 MB the process may take, and need 32 MB";
        assert_eq!(part(256 << 20, 16), Err(wrong.to_owned()));
    }
}
