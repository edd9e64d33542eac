//! Where a store is: a directory, or the URL of a database.

use crate::{Embedded, OpenError, Options, Postgres, PostgresOptions, Store};
use std::path::Path;
use std::sync::Arc;

/// Opens the store at a place, making it if it is not there.
pub fn open(place: &str) -> Result<Arc<dyn Store>, OpenError> {
    if is_database(place) {
        Ok(Arc::new(Postgres::open(place, PostgresOptions::default())?))
    } else {
        Ok(Arc::new(Embedded::open(Path::new(place), Options::default())?))
    }
}

/// Is there a store already? Of a database this says nothing.
pub fn is_there(place: &str) -> bool {
    is_database(place) || Embedded::is_there(Path::new(place))
}

fn is_database(place: &str) -> bool {
    ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| place.starts_with(scheme))
}
