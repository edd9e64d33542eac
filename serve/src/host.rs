//! The host of a program that serves: that of the process, whose files can be closed off once the
//! program has started.

use std::cell::RefCell;
use std::rc::Rc;
use sx::{Access, FileInfo, Host, HostError, RealHost, Stream};

/// A host that its maker keeps a hand on.
#[derive(Clone)]
pub struct SharedHost(Rc<RefCell<RealHost>>);

impl SharedHost {
    /// The process's own world.
    pub fn new(host: RealHost) -> SharedHost {
        SharedHost(Rc::new(RefCell::new(host)))
    }
    /// From now on the program may touch these files only.
    pub fn set_access(&self, access: Access) {
        self.0.borrow_mut().set_access(access);
    }
}

macro_rules! delegate {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        impl Host for SharedHost {
            $(fn $name(&mut self $(, $argument: $type)*) -> $result {
                self.0.borrow_mut().$name($($argument),*)
            })*
            fn interrupted(&self) -> bool {
                self.0.borrow().interrupted()
            }
        }
    };
}

delegate! {
    now_ms() -> i64;
    monotonic_ns() -> u64;
    random_u64() -> u64;
    random_bytes(out: &mut [u8]) -> Result<(), HostError>;
    write(stream: Stream, text: &str) -> Result<(), HostError>;
    flush(stream: Stream) -> Result<(), HostError>;
    read_line() -> Result<Option<String>, HostError>;
    read_file(path: &str) -> Result<Vec<u8>, HostError>;
    read_part(path: &str, start: u64, len: usize) -> Result<Vec<u8>, HostError>;
    file_info(path: &str) -> Result<FileInfo, HostError>;
    file_exists(path: &str) -> bool;
    write_file(path: &str, bytes: &[u8]) -> Result<(), HostError>;
    delete_file(path: &str) -> Result<(), HostError>;
    environment(name: &str) -> Option<String>;
    variables() -> Vec<(String, String)>;
}
