//! The `rowstamp` command.

use std::process::ExitCode;

/// It keeps what one answer gave back for the next, where the system's returns large pieces to the kernel and gets them zeroed anew.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::io::Result<ExitCode> {
    // With one worker a slow answer would keep the next one waiting, however few processors there are.
    let workers = std::thread::available_parallelism().map_or(2, |count| count.get().max(2));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()?;
    Ok(runtime.block_on(rowstamp_local::run_without_definitions()))
}
