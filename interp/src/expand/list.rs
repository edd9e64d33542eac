//! A persistent list: pushing and popping share the tail, so a copy of the expander's state costs
//! nothing. Dropping one of any length uses bounded native stack.

use std::rc::Rc;

/// A linked list whose tails are shared.
pub(super) struct List<T>(Option<Rc<Link<T>>>);

struct Link<T> {
    head: T,
    tail: List<T>,
}

impl<T> List<T> {
    pub(super) const fn new() -> List<T> {
        List(None)
    }
    pub(super) fn push(&mut self, head: T) {
        let tail = List(self.0.take());
        self.0 = Some(Rc::new(Link { head, tail }));
    }
    /// The items, the last pushed first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        let mut next = self.0.as_deref();
        std::iter::from_fn(move || {
            let link = next?;
            next = link.tail.0.as_deref();
            Some(&link.head)
        })
    }
}

impl<T: Clone> List<T> {
    /// Takes the last item pushed: moved if nobody shares it, else copied.
    pub(super) fn pop(&mut self) -> Option<T> {
        match Rc::try_unwrap(self.0.take()?) {
            Ok(link) => {
                let Link { head, mut tail } = link;
                self.0 = tail.0.take();
                Some(head)
            }
            Err(shared) => {
                self.0 = shared.tail.0.clone();
                Some(shared.head.clone())
            }
        }
    }
    /// The items in the order they were pushed.
    pub(super) fn into_vec(mut self) -> Vec<T> {
        let mut items = Vec::new();
        while let Some(item) = self.pop() {
            items.push(item);
        }
        items.reverse();
        items
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> List<T> {
        List(self.0.clone())
    }
}

impl<T> Default for List<T> {
    fn default() -> List<T> {
        List::new()
    }
}

impl<T> Drop for List<T> {
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut link) = next.and_then(Rc::into_inner) {
            next = link.tail.0.take();
        }
    }
}
