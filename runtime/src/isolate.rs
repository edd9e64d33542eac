//! An isolate: one heap, one stack, the globals and instances of one running program.
//!
//! Globals have two layers. Core cells hold the primitives and the core library and never change
//! once the isolate has started; a program that defines a core name gets a cell of its own, and
//! everything that is not core is made to use that one from then on. So a redefinition is seen by
//! the very next expression, and nothing a program defines can break the core library.
//!
//! Invariant: code of the core library refers to core cells only.
#![allow(unsafe_code)]

use crate::chunk::{Chunk, Const};
use crate::fault::{Fault, planted};
use crate::heap::{GcKind, Handle, Heap, HeapOptions, Roots};
use crate::host::Host;
use crate::html;
use crate::instance::feedback::Callee;
use crate::instance::{Instance, builtin, instance_of};
use crate::object;
use crate::prims::{self, Cx, PrimId, PrimState, registry};
use crate::stack::Stack;
use crate::syntax::{Name, Node};
use crate::value::{Value, Word};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// One running program.
pub struct Isolate {
    /// Its memory.
    pub heap: Heap,
    /// Everything else that holds words.
    pub state: State,
    /// The world outside.
    pub host: Box<dyn Host>,
    /// What primitives remember.
    pub prims: PrimState,
}

/// What holds words outside the heap.
pub struct State {
    /// The stack.
    pub stack: Stack,
    /// The global variables.
    pub globals: Globals,
    /// Words the machine keeps between instructions, for instance a request on its way out.
    pub kept: Vec<Word>,
    /// Values that code refers to and no text can name: row 0 is the mark of a variable without a
    /// value, the others are macro procedures and values macros put into their results.
    pub embedded: Vec<Word>,
    /// Operands of an instruction whose primitive is called.
    pub scratch: Box<[Word; 4]>,
    // Boxed: closures hold their addresses.
    #[allow(clippy::vec_box)]
    instances: Vec<Box<Instance>>,
    /// Instances from here on were made since the last collection.
    young_instances: usize,
    /// Number of the running or last full collection.
    collection: u32,
    /// Where instances without native code are entered by native code.
    interpret_stub: usize,
    /// A primitive was redefined, which instances with native code had compiled.
    pub redefined: bool,
}

/// The global variables by name.
#[derive(Default)]
pub struct Globals {
    core: HashMap<Name, Word>,
    user: HashMap<Name, Word>,
    prims: HashMap<Name, PrimId>,
    /// The core library is loaded: its cells do not change any more.
    sealed: bool,
}

impl Globals {
    /// The primitive a program means by `name`, if it has not defined the name itself.
    pub fn primitive(&self, name: &str) -> Option<PrimId> {
        if self.user.contains_key(name) {
            return None;
        }
        self.core_primitive(name)
    }
    /// The primitive the core library means by `name`.
    pub fn core_primitive(&self, name: &str) -> Option<PrimId> {
        self.prims.get(name).copied()
    }
    /// Does the program mean by `name` what the core library defines under it?
    pub fn means_core(&self, name: &str) -> bool {
        self.core.contains_key(name) && !self.user.contains_key(name)
    }
    /// The cell a program sees under `name`, if there is one.
    pub fn find(&self, name: &str) -> Option<Word> {
        self.user.get(name).or_else(|| self.core.get(name)).copied()
    }
    /// Has the global a value, as a program sees it?
    pub fn is_bound(&self, name: &str) -> bool {
        self.find(name).is_some_and(has_value)
    }
    /// Has the core global a value?
    pub fn is_core_bound(&self, name: &str) -> bool {
        self.core.get(name).copied().is_some_and(has_value)
    }
    /// Is this the cell of a core name?
    fn is_core(&self, name: &str, cell: Word) -> bool {
        self.core.get(name) == Some(&cell)
    }
    /// Every name that has a cell, with the cell.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, Word)> {
        let shadowed = |n: &Name| self.user.contains_key(n);
        let core = self.core.iter().filter(move |(n, _)| !shadowed(n));
        self.user.iter().chain(core).map(|(n, w)| (n, *w))
    }
    fn cells(&mut self) -> impl Iterator<Item = &mut Word> {
        self.core.values_mut().chain(self.user.values_mut())
    }
}

fn has_value(cell: Word) -> bool {
    // SAFETY: the tables hold cells.
    unsafe { object::field(cell, object::cell::VALUE) != Word::UNBOUND }
}

impl Roots for State {
    fn visit(&mut self, kind: GcKind, f: &mut dyn FnMut(&mut Word)) {
        self.embedded.iter_mut().for_each(&mut *f);
        match kind {
            // Cells and constants are old objects or were made since the last collection.
            GcKind::Minor => {
                for instance in &mut self.instances[self.young_instances..] {
                    instance.consts_mut().iter_mut().for_each(&mut *f);
                }
                self.young_instances = self.instances.len();
            }
            GcKind::Full => {
                self.globals.cells().for_each(f);
                self.collection = self.collection.wrapping_add(1).max(1);
            }
        }
    }

    fn visit_running(&mut self, f: &mut dyn FnMut(&mut Word)) {
        // SAFETY: whoever can collect has brought the stack to a safepoint.
        unsafe { self.stack.visit(f) };
        self.kept.iter_mut().for_each(f);
    }

    fn instance(&mut self, instance: *const (), f: &mut dyn FnMut(&mut Word)) {
        let mut todo = vec![instance as *mut Instance];
        while let Some(next) = todo.pop() {
            // SAFETY: a live closure's instance, a child of one or a callee it noted: kept in
            // `instances`.
            let instance = unsafe { &mut *next };
            if instance.head.mark.replace(self.collection) != self.collection {
                instance.consts_mut().iter_mut().for_each(&mut *f);
                todo.extend(instance.children().iter().map(|c| *c as *mut Instance));
                todo.extend(instance.feedback().iter().filter_map(|cell| match cell.callee() {
                    Callee::One(callee) => Some(callee as *mut Instance),
                    Callee::None | Callee::Many => None,
                }));
            }
        }
    }

    fn sweep(&mut self) -> usize {
        let (last, young) = (self.collection, self.young_instances);
        let mut i = 0;
        let mut kept_old = 0;
        self.instances.retain(|instance| {
            let keep = i >= young || instance.head.mark.get() == last || instance.native.borrow().pending;
            kept_old += (i < young && keep) as usize;
            i += 1;
            keep
        });
        self.young_instances = kept_old;
        self.instances.iter().map(|instance| instance.weight()).sum()
    }
}

impl State {
    /// Native code enters functions that have none at `stub`.
    pub fn set_interpret_stub(&mut self, stub: usize) {
        self.interpret_stub = stub;
        self.instances.iter().for_each(|instance| instance.entry.set(stub));
    }
    /// Every instance, for tools.
    pub fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.instances.iter().map(|b| &**b)
    }
}

/// The chunk a primitive's closure points to: it is never run, the machine calls the primitive.
fn primitive_chunk(id: PrimId) -> Arc<Chunk> {
    static CHUNKS: OnceLock<Vec<Arc<Chunk>>> = OnceLock::new();
    let make = |(_, id)| {
        let prim = prims::get(id);
        let (least, most) = prim.arity();
        let params: Vec<&str> = prim.params.iter().map(|p| p.name).collect();
        Chunk::described(registry::shown(id), &prim.doc_text(), least, most.is_none(), &params)
    };
    CHUNKS.get_or_init(|| registry::names().map(make).collect())[id.0 as usize].clone()
}

/// The `aux` of a built-in procedure's closure: no caller's argument count matches it, so a call
/// takes the way that looks what it does.
pub const BUILTIN_AUX: u64 = object::AUX_MAX;

impl Isolate {
    /// An isolate that has the primitives and nothing else.
    pub fn new(options: HeapOptions, host: Box<dyn Host>) -> Isolate {
        let state = State {
            stack: Stack::new(),
            globals: Globals::default(),
            kept: vec![],
            embedded: vec![Word::UNBOUND],
            scratch: Box::new([Word::NIL; 4]),
            instances: vec![],
            young_instances: 0,
            collection: 1,
            interpret_stub: 0,
            redefined: false,
        };
        let mut isolate = Isolate {
            heap: Heap::new(options),
            state,
            host,
            prims: PrimState::default(),
        };
        isolate.heap.set_procedure_info(|instance| {
            // SAFETY: the heap asks about instances of live closures only.
            Some(unsafe { (*instance.cast::<Instance>()).procedure_info() })
        });
        for (name, id) in registry::names() {
            isolate.add_primitive(name, id);
        }
        isolate
    }

    fn add_primitive(&mut self, name: &'static str, id: PrimId) {
        self.add_builtin(name, primitive_chunk(id), id.0 as u32);
        self.state.globals.prims.insert(name.into(), id);
    }

    /// A core global that is a built-in procedure; the chunk describes it, `builtin` says what it
    /// does.
    pub fn add_builtin(&mut self, name: &str, chunk: Arc<Chunk>, builtin: u32) {
        let instance = self.keep_instance(Instance::new(chunk, vec![], vec![], builtin));
        let closure = self.old_closure_over(instance, BUILTIN_AUX);
        let cell = self.new_cell(name, closure);
        self.state.globals.core.insert(name.into(), cell);
    }

    fn keep_instance(&mut self, instance: Box<Instance>) -> *const Instance {
        let at: *const Instance = &*instance;
        instance.entry.set(self.state.interpret_stub);
        self.heap.hold_outside(instance.weight());
        self.state.instances.push(instance);
        at
    }

    fn new_cell(&mut self, name: &str, value: Word) -> Word {
        let symbol = self.heap.symbol(name);
        let cell = self.heap.new_cell(symbol).word();
        // SAFETY: a fresh cell has a VALUE field; a cell is remembered from birth.
        unsafe { self.heap.write(cell, object::cell::VALUE, value) };
        cell
    }

    /// The core library is complete.
    pub fn seal_core(&mut self) {
        self.state.globals.sealed = true;
    }

    /// Forgets what programs have defined, put into code and made primitives remember. Instances
    /// of their code go with the next full collection.
    pub fn forget_program(&mut self) {
        self.state.globals.user.clear();
        self.state.embedded.truncate(1);
        let arguments = std::mem::take(&mut self.prims.arguments);
        self.prims = PrimState::default();
        self.prims.arguments = arguments;
    }

    /// The cell that code of a layer means by `name`; made if there is none.
    pub fn cell(&mut self, name: &Name, core: bool) -> Word {
        let globals = &self.state.globals;
        let known = if core {
            globals.core.get(name).copied()
        } else {
            globals.find(name)
        };
        known.unwrap_or_else(|| {
            let cell = self.new_cell(name, Word::UNBOUND);
            let globals = &mut self.state.globals;
            let layer = if core { &mut globals.core } else { &mut globals.user };
            layer.insert(name.clone(), cell);
            cell
        })
    }

    /// The value of a global as a program sees it.
    pub fn global(&self, name: &str) -> Option<Word> {
        let cell = self.state.globals.find(name)?;
        // SAFETY: `globals` holds cells.
        let value = unsafe { object::field(cell, object::cell::VALUE) };
        (value != Word::UNBOUND).then_some(value)
    }

    /// A handle to the value of a global as a program sees it.
    pub fn global_handle(&self, name: &str) -> Option<Handle> {
        let word = self.global(name)?;
        // SAFETY: the value of a cell is live.
        Some(self.heap.handle(unsafe { Value::from_raw(word) }))
    }

    /// The chunk of the procedure a handle of this heap holds, if it is one.
    pub fn chunk_of(&self, procedure: &Handle) -> Option<Arc<Chunk>> {
        let value = self.heap.get(procedure);
        // SAFETY: a closure points to its instance.
        value
            .is(object::Type::Closure)
            .then(|| unsafe { instance_of(value.word()) }.chunk.clone())
    }

    /// Binds a global for a program to what a handle of this heap holds.
    pub fn bind(&mut self, name: &str, value: &Handle) {
        // SAFETY: a handle's word is live, and nothing collects before it is stored.
        unsafe { self.define_global(name, value.word()) };
    }

    /// Stores into a global cell on behalf of code of a layer; a program that stores into a core
    /// cell gets a cell of its own.
    ///
    /// # Safety
    /// `cell` is a cell and `value` is live.
    pub unsafe fn store_global(&mut self, cell: Word, value: Word, core: bool) {
        // SAFETY: by the caller.
        unsafe {
            let target = if core { cell } else { self.own_cell(cell) };
            let is_new = !has_value(target);
            self.heap.write(target, object::cell::VALUE, value);
            if is_new && !core {
                self.end_elements(target);
            }
        }
    }

    /// A global has its first value: calls of it that made elements call it from now on.
    ///
    /// # Safety
    /// `cell` is a cell.
    unsafe fn end_elements(&mut self, cell: Word) {
        // SAFETY: by the caller; the NAME of a cell is a symbol.
        let symbol: Value<'_> = unsafe { Value::from_raw(object::field(cell, object::cell::NAME)) };
        if symbol.as_symbol().and_then(html::tag_of).is_some() {
            self.state.redefined = true;
            for instance in self.state.instances.iter_mut().filter(|i| !i.chunk.core) {
                instance.redefine(cell, cell);
            }
        }
    }

    /// The program's own cell for the name of `cell`.
    ///
    /// # Safety
    /// `cell` is a cell.
    unsafe fn own_cell(&mut self, cell: Word) -> Word {
        // SAFETY: by the caller; the NAME of a cell is a symbol.
        let symbol: Value<'_> = unsafe { Value::from_raw(object::field(cell, object::cell::NAME)) };
        let Some(name) = symbol.as_symbol() else { return cell };
        if !self.state.globals.sealed || !self.state.globals.is_core(name, cell) {
            return cell;
        }
        let name: Name = name.into();
        if let Some(own) = self.state.globals.user.get(&name) {
            return *own;
        }
        let own = self.new_cell(&name, Word::UNBOUND);
        self.state.globals.user.insert(name, own);
        self.state.redefined = true;
        for instance in self.state.instances.iter_mut().filter(|i| !i.chunk.core) {
            instance.redefine(cell, own);
        }
        own
    }

    /// Binds a global for a program.
    ///
    /// # Safety
    /// `value` is live.
    pub unsafe fn define_global(&mut self, name: &str, value: Word) {
        let cell = self.cell(&name.into(), false);
        // SAFETY: `cell` answers a cell; the caller vouches for the value.
        unsafe { self.store_global(cell, value, false) };
    }

    /// What this isolate makes of a chunk and of the chunks in it. The chunk was verified.
    pub fn instantiate(&mut self, chunk: &Arc<Chunk>) -> *const Instance {
        stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.instantiate_here(chunk))
    }

    fn instantiate_here(&mut self, chunk: &Arc<Chunk>) -> *const Instance {
        let children = chunk.children.iter().map(|c| self.instantiate(c)).collect();
        let mut consts = vec![];
        for c in &chunk.consts {
            consts.push(match c {
                Const::Datum(datum) => match datum.node {
                    Node::Value(row) => self.state.embedded.get(row as usize).copied().unwrap_or(Word::NIL),
                    _ => self.heap.constant_of_syntax(datum, chunk.lists).word(),
                },
                Const::Key(name) => self.heap.intern(name).word(),
                Const::Global(name) => self.cell(name, chunk.core),
                Const::Prim(name) => match prims::by_name(name) {
                    Some(id) => Word::fixnum(id.0 as i64),
                    None => Word::UNBOUND,
                },
            });
        }
        let mut instance = Instance::new(chunk.clone(), consts, children, builtin::NONE);
        if !chunk.core {
            self.patch_redefined(&mut instance);
        }
        self.keep_instance(instance)
    }

    /// A chunk compiled while a primitive was untouched may come to an isolate where it is not.
    fn patch_redefined(&mut self, instance: &mut Instance) {
        let chunk = instance.chunk.clone();
        if planted(Fault::ShadowingIgnored) {
            return;
        }
        for row in &chunk.inlined {
            if let Some(Const::Global(name)) = chunk.consts.get(row.cell as usize)
                && let Some(own) = self.state.globals.user.get(name)
                && has_value(*own)
            {
                let own = *own;
                instance.redefine(own, own);
            }
        }
    }

    /// A closure without captured variables over a chunk.
    pub fn closure(&mut self, chunk: &Arc<Chunk>) -> Result<Word, crate::heap::OutOfMemory> {
        // Room first: between the instance and its closure nothing may collect.
        self.heap.reserve(16, &mut self.state)?;
        let instance = self.instantiate(chunk);
        // SAFETY: the instance is kept and the closure has no captured words.
        Ok(unsafe { self.heap.closure(chunk.arity_word() as u64, instance as *const (), &[]) }.word())
    }

    /// The same, in old space, where it stays.
    pub fn old_closure(&mut self, chunk: &Arc<Chunk>) -> Word {
        let instance = self.instantiate(chunk);
        self.old_closure_over(instance, chunk.arity_word() as u64)
    }

    fn old_closure_over(&mut self, instance: *const Instance, aux: u64) -> Word {
        // SAFETY: the one field follows at once; nothing is captured.
        unsafe {
            let closure = self.heap.alloc_old(object::Type::Closure, aux, 2);
            object::set_field_raw(closure, object::closure::INSTANCE, instance as u64);
            closure
        }
    }

    /// Runs a primitive on `argc` rooted slots.
    ///
    /// # Safety
    /// `args` points to `argc` words that `State::visit` reaches (a window) or none of which is a
    /// pointer; the stack is at a safepoint.
    #[inline]
    pub unsafe fn call_primitive(
        &mut self,
        id: PrimId,
        args: *mut Word,
        argc: usize,
    ) -> Result<Word, crate::error::Raise> {
        self.state.stack.window = (args, argc);
        // SAFETY: the window makes the collector visit the arguments.
        let result = unsafe {
            let mut cx = Cx::new(
                &mut self.heap,
                &mut self.state,
                &mut *self.host,
                &mut self.prims,
                args,
                argc,
            );
            prims::call(id, &mut cx)
        };
        self.state.stack.window.1 = 0;
        result
    }
}
