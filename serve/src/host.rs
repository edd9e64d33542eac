//! The host of a program that serves: that of the process, whose files can be closed off once the
//! program has started.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use sx::{Access, FileInfo, Host, HostError, RealHost, Stream};

/// When a file was changed last, and its size; nothing if it is not there.
type Mark = Option<(SystemTime, u64)>;

/// Files that a program has read, each as it was then.
#[derive(Clone, Debug, Default)]
pub struct Files(Arc<Mutex<BTreeMap<PathBuf, Mark>>>);

impl Files {
    /// Notes one that is about to be read.
    pub fn note(&self, path: &str) {
        let path = PathBuf::from(path);
        let mark = mark_of(&path);
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.entry(path).or_insert(mark);
    }
    /// Is one of them another now? Each change is told once.
    pub fn have_changed(&self) -> bool {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = false;
        for (path, mark) in files.iter_mut() {
            let now = mark_of(path);
            changed |= std::mem::replace(mark, now) != now;
        }
        changed
    }
}

fn mark_of(path: &Path) -> Mark {
    let about = std::fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}

/// A host that its maker keeps a hand on.
#[derive(Clone)]
pub struct SharedHost {
    inner: Rc<RefCell<RealHost>>,
    /// Where reads are noted, until files are closed off.
    files: Rc<RefCell<Option<Files>>>,
}

impl SharedHost {
    /// The process's own world; what is read from it is noted.
    pub fn new(host: RealHost, files: Files) -> SharedHost {
        SharedHost {
            inner: Rc::new(RefCell::new(host)),
            files: Rc::new(RefCell::new(Some(files))),
        }
    }
    /// From now on the program may touch these files only.
    pub fn set_access(&self, access: Access) {
        self.inner.borrow_mut().set_access(access);
        self.files.take();
    }
}

macro_rules! delegate {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        impl Host for SharedHost {
            $(fn $name(&mut self $(, $argument: $type)*) -> $result {
                self.inner.borrow_mut().$name($($argument),*)
            })*
            fn read_file(&mut self, path: &str) -> Result<Vec<u8>, HostError> {
                if let Some(files) = &*self.files.borrow() {
                    files.note(path);
                }
                self.inner.borrow_mut().read_file(path)
            }
            fn interrupted(&self) -> bool {
                self.inner.borrow().interrupted()
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
    read_line(stops: &dyn Fn() -> bool) -> Result<Option<String>, HostError>;
    read_part(path: &str, start: u64, len: usize) -> Result<Vec<u8>, HostError>;
    file_info(path: &str) -> Result<FileInfo, HostError>;
    file_exists(path: &str) -> bool;
    write_file(path: &str, bytes: &[u8]) -> Result<(), HostError>;
    delete_file(path: &str) -> Result<(), HostError>;
    environment(name: &str) -> Option<String>;
    variables() -> Vec<(String, String)>;
}
