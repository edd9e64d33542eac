//! The libraries in `docs/compat.md`: the argument orders that existing programs do not fix, and the
//! names they do not know.
//!
//! Invariant: the calls are those its reference documents, and with the names that existing programs fix
//! there are no others.

use std::fmt::Write as _;

/// What a library has beside what existing programs use.
struct Library {
    name: &'static str,
    /// Calls of the names, or parts of the library, that they use, in the order of arguments chosen here.
    chosen: &'static [&'static str],
    /// Calls of the names that are only here.
    added: &'static [&'static str],
    /// What else is only here.
    more: &'static str,
}

const LIBRARIES: &[Library] = &[
    Library {
        name: "datalog",
        chosen: &[],
        added: &[
            "(dl-count db rel)",
            "(dl-parse-query src)",
            "(dl-lattice! db lit join)",
            "(dl-explain-text tree)",
            "(dl-profile! db on)",
            "(dl-var? x)",
            "(dl-main args)",
            "(dl-demo)",
        ],
        more: "in texts `.decl .input .output .printsize`, in bodies `(where test)`",
    },
    Library {
        name: "relations",
        chosen: &[
            "(relations/unrelate src dst kind)",
            "(relations/parents node kind)",
            "(relations/related node kind)",
            "(relations/descendants node kind)",
            "(relations/ancestors node kind)",
            "(relations/cycle? &rest question)",
            "(relations/acyclic? kind)",
            "(relations/roots kind)",
            "(relations/leaves kind)",
            "(relations/path src dst kind)",
            "(relations/explain src dst kind)",
            "(relations/component node kind)",
            "(relations/components kind)",
        ],
        added: &[
            "(relations/db)",
            "(relations/clear!)",
            "(relations/facts)",
            "(relations/forget node)",
            "(relations/related? src dst kind)",
            "(relations/kinds)",
            "(relations/size &rest kind)",
            "(relations/nodes kind)",
            "(relations/order kind)",
            "(relations/would-cycle? src dst kind)",
            "(relations/members node kind via)",
            "(relations/member? member node kind via)",
            "(relations/member-count node kind via)",
            "(relations/peer-relate peer src dst kind)",
            "(relations/peer-unrelate peer src dst kind)",
            "(relations/trust peer)",
            "(relations/distrust peer)",
            "(relations/query goal)",
        ],
        more: "a kind of `nil` asks for any",
    },
    Library {
        name: "persist",
        chosen: &[
            "(persist/kv-put b k v)",
            "(persist/kv-delete b k)",
            "(persist/kv-has? b k)",
            "(persist/kv-keys b &rest prefix)",
            "(persist/kv-get-or b k default)",
            "(persist/kv-update b k f &rest args)",
            "(persist/kv-put-new b k v)",
            "(persist/append-expect b stream expected type ts data)",
            "(persist/read b stream &rest bounds)",
            "(persist/last-seq b stream)",
            "(persist/truncate b stream seq)",
            "(persist/streams b)",
            "(persist/snapshots b)",
            "(persist/snapshot-put b name seq state)",
            "(persist/snapshot-get b name)",
            "(persist/snapshot-delete b name)",
            "(persist/project b stream f init)",
            "(persist/projection name stream f init)",
            "(persist/projection-run b projection)",
            "(persist/projection-state b projection)",
            "(persist/projection-save b projection)",
            "(persist/projection-behind b projection)",
            "(persist/projection-rebuild b projection)",
            "(persist/poll b name stream f &rest limit)",
            "(persist/cursor b name stream)",
            "(persist/cursor-set b name stream seq)",
            "(persist/pending b name stream)",
            "(persist/readers b stream)",
            "(persist/on-change b prefix f)",
            "(persist/catalog b &rest kind)",
            "(persist/catalog-put b name kind about)",
            "(persist/catalog-get b name)",
            "(persist/catalog-delete b name)",
        ],
        added: &[
            "(persist/backend kind service)",
            "(persist/backend? x)",
            "(persist/conflict? answer)",
            "(persist/event? x)",
            "(persist/kv-scan b prefix)",
            "(persist/kv-batch b changes)",
            "(persist/read-type b stream type)",
            "(persist/last-event b stream)",
            "(persist/compact b projection)",
            "(persist/uncatalogued b)",
            "(persist/describe b)",
        ],
        more: "",
    },
    Library {
        name: "acl",
        chosen: &["(acl/explain subject action resource)", "(acl/audit &rest question)"],
        added: &[
            "(acl/policy)",
            "(acl/load! facts)",
            "(acl/facts)",
            "(acl/require subject action resource)",
            "(acl/who-can action resource)",
            "(acl/what-can subject action)",
            "(acl/groups subject)",
            "(acl/members group)",
            "(acl/grant! subject action resource)",
            "(acl/revoke! subject action resource)",
            "(acl/deny! subject action resource)",
            "(acl/allow! subject action resource)",
            "(acl/join! subject group)",
            "(acl/leave! subject group)",
            "(acl/place! resource whole)",
            "(acl/unplace! resource whole)",
            "(acl/imply! action weaker)",
        ],
        more: "policies as values, `(acl-policy &rest facts)`",
    },
    Library {
        name: "feed",
        chosen: &[
            "(feed/post activity)",
            "(feed/all)",
            "(feed/recent activities)",
            "(feed/by-actor activities actor)",
            "(feed/take activities n)",
        ],
        added: &[
            "(feed/activity activity)",
            "(feed/by-verb activities verb)",
            "(feed/by-object activities object)",
            "(feed/by-tag activities tag)",
            "(feed/since activities at)",
            "(feed/before activities at)",
            "(feed/actors activities)",
            "(feed/counts activities key)",
            "(feed/by-day activities)",
            "(feed/digest activities)",
            "(feed/atom about activities)",
            "(feed/open b &rest stream)",
            "(feed/use! b &rest stream)",
            "(feed/latest n &rest wanted)",
            "(feed/page query &rest wanted)",
            "(feed/size)",
        ],
        more: "feeds as values, `(feed-post-of feed activity)`",
    },
];

/// The part of the page about libraries.
pub(super) fn reference() -> String {
    let mut page = String::from(
        "\n## Libraries\n\n\
         Names, argument orders and data of the libraries that existing programs use are kept. Where those programs \
         do not fix\nthe arguments of a name, or only what a part of a library is for, the calls are those of the \
         first list; what is in the\nsecond list is only here, and a program that must run on both does without.\n\n\
         | library | chosen here | only here |\n|---|---|---|\n",
    );
    for library in LIBRARIES {
        let list = |calls: &[&str]| {
            calls
                .iter()
                .map(|call| format!("`{call}`"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let chosen = if library.chosen.is_empty() {
            "nothing".to_owned()
        } else {
            list(library.chosen)
        };
        let more = if library.more.is_empty() {
            String::new()
        } else {
            format!("; {}", library.more)
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "| [{0}](lib/{0}.md) | {chosen} | {1}{more} |",
            library.name,
            list(library.added)
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The names whose arguments existing programs fix.
    const KEPT: &[(&str, &str)] = &[
        (
            "datalog",
            "dl-tokenize dl-parse dl-program dl-program-data dl-make-db dl-add-fact! dl-add-rule! dl-rule dl-add-clause! dl-load-program! dl-set-strategy! dl-assert! dl-retract! dl-clear-idb! dl-saturate! dl-saturate-naive! dl-query dl-eval dl-eval-magic dl-magic-query dl-rules-of dl-relation dl-stats dl-explain",
        ),
        (
            "relations",
            "relations/load! relations/relate relations/children relations/reachable?",
        ),
        (
            "persist",
            "persist/open persist/mem-backend persist/durable-backend persist/kv-get persist/kv-cas persist/append",
        ),
        ("acl", "acl/permit?"),
        ("feed", ""),
    ];

    /// The calls that the reference of a library documents, without twins that take the value first.
    fn documented(library: &str) -> BTreeSet<String> {
        let path = format!("{}/../docs/lib/{library}.md", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("the reference");
        let prefix = match library {
            "datalog" => "(dl-".to_owned(),
            _ => format!("({library}/"),
        };
        let calls = text
            .lines()
            .filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
        calls
            .filter(|call| call.starts_with(&prefix))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_calls_are_those_of_the_references() {
        for (library, (name, kept)) in LIBRARIES.iter().zip(KEPT) {
            assert_eq!(library.name, *name);
            let mut documented = documented(library.name);
            for call in library.chosen.iter().chain(library.added) {
                assert!(documented.remove(*call), "{call} is not documented, or listed twice");
            }
            let left: BTreeSet<String> = documented
                .iter()
                .map(|call| {
                    call.trim_matches(['(', ')'])
                        .split(' ')
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                })
                .collect();
            let kept: BTreeSet<String> = kept.split_whitespace().map(str::to_owned).collect();
            assert_eq!(left, kept, "{}", library.name);
        }
    }
}
