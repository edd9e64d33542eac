//! The contract as tests, one function each, run against every backend.
//!
//! `contract!` makes the tests of one backend; a case is in its list or it is never run.

// Each test program uses what it needs.
#![allow(dead_code, unused_macros, unused_imports)]

pub mod cluster;
mod logs;
mod pairs;
mod scratch;
mod whole;

pub use logs::*;
pub use pairs::*;
pub use scratch::Scratch;
pub use whole::*;

use sx_store::{Batch, Store, WriteError, Written};

/// The tests of a backend: attributes for each, and an expression that opens an empty store.
macro_rules! contract {
    (@list $attributes:tt $open:expr; $($case:ident)*) => {
        $(contract! { @one $attributes $open; $case })*
    };
    (@one [$(#[$attribute:meta])*] $open:expr; $case:ident) => {
        #[test]
        $(#[$attribute])*
        fn $case() {
            let opened = $open();
            suite::$case(&*opened.store);
        }
    };
    ($attributes:tt $open:expr) => {
        contract! { @list $attributes $open;
            a_key_has_the_value_it_was_given
            any_bytes_are_a_key_or_a_value
            a_scan_is_in_order_and_goes_on_where_it_stopped
            a_scan_keeps_to_its_prefix
            a_page_ends_before_it_is_too_large
            a_check_holds_or_nothing_happens
            the_check_that_does_not_hold_is_named
            later_changes_of_a_batch_see_earlier_ones
            events_are_numbered_from_one
            a_log_is_read_from_a_number_on
            numbers_survive_truncation
            a_raised_log_goes_on_from_there
            logs_are_listed
            an_expected_number_holds_or_nothing_happens
            a_blob_is_found_by_its_name
            too_large_is_refused
            an_answered_write_can_be_read
            counters_of_many_clients_come_out_right
            appends_of_many_clients_leave_no_gap
            everything_handed_in_is_answered_in_order
            the_feed_tells_each_batch_once_and_whole
            the_feed_keeps_to_its_prefix
            a_subscription_ends
            an_export_restores_into_the_same
            counts_are_right
            a_closed_store_says_so
        }
    };
}
pub(crate) use contract;

/// Writes and waits.
pub fn write(store: &dyn Store, batch: Batch) -> Result<Written, WriteError> {
    store.write(batch).wait()
}

/// Writes what must succeed.
#[track_caller]
pub fn done(store: &dyn Store, batch: Batch) -> Written {
    write(store, batch).expect("the write happens")
}

/// A store, and what has to live as long as it does.
pub struct Opened {
    pub store: Box<dyn Store>,
    pub scratch: Option<Scratch>,
}
