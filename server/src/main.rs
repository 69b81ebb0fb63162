use clap::Parser;
use tikv_jemallocator::Jemalloc;

/// Calls allocate a lot, and for a short time.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    server::cli::run(server::cli::Cli::parse()).await
}
