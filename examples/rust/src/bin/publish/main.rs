//! Publishes length-delimited protobuf as a stream: cargo run --bin publish 127.0.0.1:50051 resp_1 < events.binpb

mod publisher;

use std::io::{self, Read};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use openresponses_grpc::v1::OpenResponsesStreamEvent;
use openresponses_grpc_example::Error;
use openresponses_grpc_example::client::{arguments, connect, exit};
use prost::{Message, decode_length_delimiter};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};

use publisher::{Events, Publisher};

const WINDOW_BYTES: usize = 8 << 20;

/// Reads events from stdin in a separate thread, while the window has room, so that the program can exit at any time. A
/// service would send the events that it produces.
fn read_events() -> Events {
    let (sender, receiver) = mpsc::unbounded_channel();
    let window = Arc::new(Semaphore::new(WINDOW_BYTES));
    let runtime = Handle::current();
    thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        while let Some(event) = read_event(&mut stdin).transpose() {
            let held = event.and_then(|event| {
                let share = event.encoded_len().min(WINDOW_BYTES) as u32;
                Ok((event, runtime.block_on(window.clone().acquire_many_owned(share))?))
            });
            let failed = held.is_err();
            if sender.send(held).is_err() || failed {
                return;
            }
        }
    });
    receiver
}

/// Reads the next event of length-delimited protobuf. Returns `None` at the end.
fn read_event(input: &mut impl Read) -> Result<Option<OpenResponsesStreamEvent>, Error> {
    let mut prefix = Vec::new();
    let mut message = Vec::new();
    while prefix.last().is_none_or(|byte| *byte >= 0x80) && prefix.len() < 10 {
        if input.take(1).read_to_end(&mut prefix)? == 0 {
            return if prefix.is_empty() { Ok(None) } else { Err("the input ends within an event".into()) };
        }
    }
    let length = decode_length_delimiter(prefix.as_slice())?;
    if input.take(length as u64).read_to_end(&mut message)? < length {
        return Err("the input ends within an event".into());
    }
    Ok(Some(OpenResponsesStreamEvent::decode(message.as_slice())?))
}

async fn run() -> Result<(), Error> {
    let (address, stream_id) = arguments();
    Publisher::new(stream_id).run(connect(&address)?, read_events()).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit(run().await)
}
