//! Prints a response as it streams: cargo run --bin subscribe 127.0.0.1:50051 resp_1
//!
//! With --events, it writes the events as length-delimited protobuf instead.

mod show;
mod subscription;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use openresponses_grpc_example::Error;
use openresponses_grpc_example::client::{arguments, connect, exit};
use prost::Message;

use subscription::Subscription;

async fn run() -> Result<(), Error> {
    let (address, stream_id) = arguments();
    let as_bytes = env::args().any(|argument| argument == "--events");
    let mut subscription = Subscription::new(connect(&address)?, stream_id);
    let mut stdout = io::stdout().lock();
    while let Some(events) = subscription.next().await? {
        for event in events {
            if as_bytes {
                stdout.write_all(&event.encode_length_delimited_to_vec())?;
            } else {
                show::event(&mut stdout, event)?;
            }
        }
        stdout.flush()?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit(run().await)
}
