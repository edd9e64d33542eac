//! One compile: from a job to a unit of code, by Cranelift.
//!
//! Invariant: whatever goes wrong in the code generator, a panic of its own included, is a bailout;
//! with debug assertions a panic stays one, so that tests see it.

use crate::clock::thread_nanoseconds;
use crate::inline::{Leaf, leaves};
use crate::listing::list;
use crate::lower::{Function, Lower, piece_signature};
use crate::memory::{Provider, Space, UnitMemory};
use crate::piece::{Piece, Root, infer_all};
use crate::profile;
use crate::stubs;
use crate::trial::{Marks, Stage, Trial};
use cranelift_codegen::Context;
use cranelift_codegen::ir::{self, Opcode, Signature};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Module, ModuleError, default_libcall_names};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use sx_runtime::native::{Bailout, CodeSize, CompileJob, Compiled, Explained};

/// The address of the instance, and what came of it.
pub type Answer = (usize, Result<Compiled, Bailout>);

/// Functions with more instructions stay with the machine.
const MOST_INSTRUCTIONS: usize = 6_000;
/// Nor is a function compiled whose pieces have in all more than this and `MOST_GROWTH` times its
/// own instructions.
const FREE_INSTRUCTIONS: usize = 2_000;
const MOST_GROWTH: usize = 8;

/// Compiles jobs, one at a time.
pub struct Maker {
    isa: OwnedTargetIsa,
    space: Arc<Space>,
    context: Context,
    frontend: FunctionBuilderContext,
    /// What a test wants of the compile under way.
    trial: Trial,
}

/// A module under construction, and where its code goes.
pub struct Unit {
    pub module: JITModule,
    pub memory: Provider,
}

impl Unit {
    /// Makes the code executable; answers where the functions are executed.
    pub fn finish(mut self, functions: &[FuncId]) -> Result<(Vec<usize>, Provider), Bailout> {
        self.module.finalize_definitions().map_err(bailout)?;
        let writes: Vec<*const u8> = functions
            .iter()
            .map(|f| self.module.get_finalized_function(*f))
            .collect();
        let memory = self.memory.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let addresses = writes.into_iter().map(|w| memory.execute_address(w)).collect();
        drop(memory);
        Ok((addresses, self.memory))
    }
}

fn bailout(error: ModuleError) -> Bailout {
    match error {
        ModuleError::Allocation { .. } => Bailout::NoMemory,
        _ => Bailout::Refused,
    }
}

fn host_isa() -> Option<OwnedTargetIsa> {
    let mut flags = settings::builder();
    let verify = if cfg!(debug_assertions) { "true" } else { "false" };
    for (name, value) in [
        ("opt_level", "speed"),
        ("enable_verifier", verify),
        ("unwind_info", "false"),
        ("enable_probestack", "false"),
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
        // Jumps between pieces are tail calls, which want frames to have pointers.
        ("preserve_frame_pointers", "true"),
    ] {
        flags.set(name, value).ok()?;
    }
    cranelift_native::builder()
        .ok()?
        .finish(settings::Flags::new(flags))
        .ok()
}

impl Maker {
    /// For this machine, if Cranelift knows it.
    pub fn new(space: Arc<Space>) -> Option<Maker> {
        Some(Maker {
            isa: host_isa()?,
            space,
            context: Context::new(),
            frontend: FunctionBuilderContext::new(),
            trial: Trial::default(),
        })
    }

    /// The compile goes on, unless it is to fail here.
    fn pass(&self, stage: Stage) -> Result<(), Bailout> {
        match self.trial.fails == Some(stage) {
            true => Err(Bailout::Injected),
            false => Ok(()),
        }
    }

    /// What a function builder asks for at its end.
    pub fn frontend_config(&self) -> cranelift_codegen::isa::TargetFrontendConfig {
        self.isa.frontend_config()
    }
    /// The fixed pieces.
    pub fn stubs(&mut self) -> Result<stubs::Code, Bailout> {
        stubs::make(self)
    }

    /// An empty module.
    pub fn unit(&self) -> Unit {
        let memory = Provider(Arc::new(Mutex::new(UnitMemory::new(
            self.space.clone(),
            self.trial.fails,
        ))));
        let mut builder = JITBuilder::with_isa(self.isa.clone(), default_libcall_names());
        builder.memory_provider(Box::new(memory.clone()));
        Unit {
            module: JITModule::new(builder),
            memory,
        }
    }

    /// Adds a function to a module.
    pub fn define(
        &mut self,
        unit: &mut Unit,
        signature: Signature,
        emit: impl FnOnce(FunctionBuilder<'_>) -> Option<()>,
    ) -> Result<FuncId, Bailout> {
        self.write(signature, emit)?;
        self.pass(Stage::Emit)?;
        let module = &mut unit.module;
        let id = module
            .declare_anonymous_function(&self.context.func.signature)
            .map_err(bailout)?;
        module.define_function(id, &mut self.context).map_err(bailout)?;
        Ok(id)
    }

    fn write(
        &mut self,
        signature: Signature,
        emit: impl FnOnce(FunctionBuilder<'_>) -> Option<()>,
    ) -> Result<(), Bailout> {
        self.context.clear();
        self.context.func = ir::Function::with_name_signature(ir::UserFuncName::default(), signature);
        let builder = FunctionBuilder::new(&mut self.context.func, &mut self.frontend);
        emit(builder).ok_or(Bailout::Refused)
    }

    /// Compiles a job, as a test may want it. Whatever goes wrong in the code generator is a bailout.
    pub fn compile(&mut self, job: &CompileJob, trial: Trial) -> Result<Compiled, Bailout> {
        self.trial = trial;
        if cfg!(debug_assertions) && trial.fails.is_none() {
            // A test is to see it.
            return self.compile_here(job);
        }
        let made = catch_unwind(AssertUnwindSafe(|| self.compile_here(job)));
        made.unwrap_or_else(|_| {
            // A panic may have left anything behind.
            self.context = Context::new();
            self.frontend = FunctionBuilderContext::new();
            Err(Bailout::Refused)
        })
    }

    fn compile_here(&mut self, job: &CompileJob) -> Result<Compiled, Bailout> {
        let begun = thread_nanoseconds();
        let (function, pieces) = pieces_of(job)?;
        self.pass(Stage::Cut)?;
        let panics = self.pass(Stage::Lower).is_err();
        let marks = self.trial.guards.map(|(force, tally)| Marks::new(force, tally));
        let mut unit = self.unit();
        let frontend_config = self.isa.frontend_config();
        let mut ids = vec![];
        let mut sizes = vec![];
        let mut size = CodeSize::default();
        for piece in &pieces {
            let id = self.define(&mut unit, piece_signature(), |b| {
                let lowered = Lower::run(&function, piece.clone(), marks.as_ref(), &mut vec![], b);
                if panics {
                    // Without the words that a panic prints.
                    std::panic::resume_unwind(Box::new("injected"));
                }
                lowered.finalize(frontend_config);
                Some(())
            })?;
            let code = self.context.compiled_code();
            sizes.push(code.map_or(0, |c| c.code_info().total_size as usize));
            size.instructions += piece.size(&function);
            self.count_memory(&mut size);
            ids.push(id);
        }
        size.bytes = sizes.iter().sum();
        let (addresses, memory) = unit.finish(&ids)?;
        for (n, (piece, address)) in pieces.iter().zip(&addresses).enumerate() {
            profile::tell(&job.chunk, piece.root, *address, sizes[n]);
        }
        let mut compiled = Compiled {
            instance: job.instance,
            entry: 0,
            entries: vec![],
            loops: vec![],
            inlined: function.all_inlined(),
            size,
            nanos: 0,
            memory: Box::new((memory, marks)),
        };
        for (piece, address) in pieces.iter().zip(addresses) {
            match piece.root {
                Root::Start => compiled.entry = address,
                Root::Behind(call) => compiled.entries.push((function.entries[&call], address)),
                Root::Loop(pc) => compiled.loops.push((pc as u32, address)),
            }
        }
        compiled.nanos = thread_nanoseconds().saturating_sub(begun);
        Ok(compiled)
    }

    /// Adds what the function just compiled stores and calls.
    fn count_memory(&self, size: &mut CodeSize) {
        let function = &self.context.func;
        for block in function.layout.blocks() {
            let is_cold = function.layout.is_cold(block);
            for instruction in function.layout.block_insts(block) {
                let count = match function.dfg.insts[instruction].opcode() {
                    Opcode::Store if !is_cold => &mut size.stores,
                    Opcode::CallIndirect if is_cold => &mut size.cold_helpers,
                    Opcode::CallIndirect => &mut size.helpers,
                    _ => continue,
                };
                *count += 1;
            }
        }
    }

    /// What each piece goes through: its instructions, Cranelift's form of it, and the machine code.
    pub fn explain(&mut self, job: &CompileJob) -> Result<Explained, Bailout> {
        let (function, pieces) = pieces_of(job)?;
        let frontend_config = self.isa.frontend_config();
        let (mut listing, mut form, mut code) = (String::new(), String::new(), String::new());
        for piece in &pieces {
            let mut ways = vec![];
            self.write(piece_signature(), |b| {
                Lower::run(&function, piece.clone(), None, &mut ways, b).finalize(frontend_config);
                Some(())
            })?;
            list(&mut listing, piece, &function, &ways);
            let root = piece.root;
            // Writing to a string does not fail.
            let _ = write!(form, "; {root}\n{}", self.context.func.display());
            self.context.set_disasm(true);
            let isa = self.isa.clone();
            let compiled = self
                .context
                .compile(&*isa, &mut Default::default())
                .map_err(|_| Bailout::Refused)?;
            let text = compiled.vcode.as_deref().unwrap_or_default();
            let _ = writeln!(code, "; {root}\n{text}");
            self.context.set_disasm(false);
        }
        Ok(Explained {
            pieces: listing,
            form,
            code,
        })
    }
}

/// The function and its pieces, each with what is known of its slots.
fn pieces_of(job: &CompileJob) -> Result<(Function<'_>, Vec<Rc<Piece>>), Bailout> {
    if job.code.len() > MOST_INSTRUCTIONS {
        return Err(Bailout::TooLarge);
    }
    // A piece goes on behind a call whose callee is part of it, so pieces may become too many.
    pieces_with(job, leaves(job)).or_else(|_| pieces_with(job, BTreeMap::new()))
}

fn pieces_with<'j>(
    job: &'j CompileJob,
    inlined: BTreeMap<usize, Leaf<'j>>,
) -> Result<(Function<'j>, Vec<Rc<Piece>>), Bailout> {
    let function = Function::new(job, inlined);
    let mut roots = vec![Root::Start];
    roots.extend(job.loops.iter().map(|pc| Root::Loop(*pc as usize)));
    let mut pieces: Vec<Piece> = vec![];
    let mut size = 0;
    while let Some(root) = roots.pop() {
        if pieces.iter().any(|p| p.root == root) {
            continue;
        }
        let piece = Piece::new(root, &function);
        size += piece.instructions(&function).count();
        if size > FREE_INSTRUCTIONS + MOST_GROWTH * function.code.len() {
            return Err(Bailout::TooLarge);
        }
        roots.extend(piece.calls(&function).map(|(_, call)| Root::Behind(call)));
        pieces.push(piece);
    }
    infer_all(&mut pieces, &function);
    Ok((function, pieces.into_iter().map(Rc::new).collect()))
}
