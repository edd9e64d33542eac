//! Reads the fact files of the rows, for the peers in Rust.

/// The rows of `directory/relation.facts`.
pub fn rows<const N: usize>(directory: &str, relation: &str) -> Vec<[u32; N]> {
    let path = format!("{directory}/{relation}.facts");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let row = |line: &str| {
        let mut cells = line.split('\t').map(|cell| cell.parse().expect("a number"));
        std::array::from_fn(|_| cells.next().expect("a column"))
    };
    text.lines().map(row).collect()
}

/// Rows of two columns.
pub fn pairs(directory: &str, relation: &str) -> Vec<(u32, u32)> {
    rows(directory, relation).into_iter().map(|[a, b]| (a, b)).collect()
}
