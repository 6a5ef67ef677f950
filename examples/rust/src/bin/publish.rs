//! Publishes length-delimited protobuf as a stream: cargo run --bin publish 127.0.0.1:50051 resp_1 < events.binpb

use std::collections::VecDeque;
use std::io::{self, Read};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use openresponses_grpc::v1::{OpenResponsesStreamEvent, PublishRequest, PublishResponse};
use openresponses_grpc_example::Error;
use openresponses_grpc_example::client::{Client, arguments, connect, exit, recover};
use prost::{Message, decode_length_delimiter};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

const REQUEST_BYTES: usize = 1 << 20;
const WINDOW_BYTES: usize = 8 << 20;

/// An event and its share of the window, which is released when both are dropped.
type Held = (OpenResponsesStreamEvent, OwnedSemaphorePermit);
type Events = mpsc::UnboundedReceiver<Result<Held, Error>>;

/// Stores each event once. It reconnects as often as necessary.
#[derive(Default)]
struct Publisher {
    stream_id: String,
    unacknowledged: VecDeque<Held>,
    offset: u64, // of unacknowledged[0]; unknown before the first reply, like the epoch
    sent: u64,   // the offset after the last event that was ever sent
    epoch: Option<u64>,
    ended: bool, // no event follows those in unacknowledged
}

impl Publisher {
    /// Publishes until the stream has ended and everything is stored.
    async fn run(mut self, mut client: Client, mut events: Events) -> Result<(), Error> {
        while let Err(error) = self.call(&mut client, &mut events).await {
            recover(error).await?;
        }
        Ok(())
    }

    /// Sends the events that are not stored yet, until all are or the call breaks. The first reply, to a request without
    /// events, carries the stream's end offset.
    async fn call(&mut self, client: &mut Client, events: &mut Events) -> Result<(), Error> {
        let (requests, receiver) = mpsc::channel(1);
        let stream_id = self.stream_id.clone();
        requests.send(PublishRequest { stream_id, epoch: self.epoch, ..Default::default() }).await?;
        let mut responses = client.publish(ReceiverStream::new(receiver)).await?.into_inner();
        self.acknowledge(responses.message().await?)?;
        let mut next = self.offset;
        let mut last = false;
        while !last {
            tokio::select! {
                biased;
                response = responses.message() => {
                    self.acknowledge(response?)?;
                    next = next.max(self.offset); // an earlier call may have stored more
                }
                // Before the requests, so that the next request holds all events that are ready.
                event = events.recv(), if !self.ended => match event {
                    Some(event) => self.unacknowledged.push_back(event?),
                    None => self.ended = true,
                },
                Ok(permit) = requests.reserve(), if self.ended || next < self.end() => {
                    let request = self.request(next);
                    next += request.events.len() as u64;
                    self.sent = self.sent.max(next);
                    last = request.end_of_stream;
                    permit.send(request);
                }
            }
        }
        drop(requests);
        while let Some(response) = responses.message().await? {
            self.acknowledge(Some(response))?;
        }
        Ok(())
    }

    /// A request with as many events as it holds, from an offset on. Large requests make a stream fast.
    fn request(&self, first_offset: u64) -> PublishRequest {
        let mut events = Vec::new();
        let mut bytes = 0;
        for (event, _) in self.unacknowledged.range((first_offset - self.offset) as usize..) {
            bytes += event.encoded_len();
            if !events.is_empty() && bytes > REQUEST_BYTES {
                break;
            }
            events.push(event.clone());
        }
        let end_of_stream = self.ended && first_offset + events.len() as u64 == self.end();
        PublishRequest { first_offset: Some(first_offset), events, end_of_stream, ..Default::default() }
    }

    fn acknowledge(&mut self, response: Option<PublishResponse>) -> Result<(), Status> {
        let PublishResponse { next_offset, epoch } =
            response.ok_or_else(|| Status::unavailable("the server ended the call"))?;
        if self.epoch.is_none() {
            (self.offset, self.sent) = (next_offset, next_offset);
        }
        self.epoch = Some(epoch);
        if next_offset > self.sent {
            return Err(Status::aborted("another publisher writes to the stream"));
        }
        let stored = next_offset.checked_sub(self.offset);
        let stored = stored.ok_or_else(|| Status::data_loss("the server lost events that it had acknowledged"))?;
        self.unacknowledged.drain(..stored as usize);
        self.offset = next_offset;
        Ok(())
    }

    /// The offset after all events.
    fn end(&self) -> u64 {
        self.offset + self.unacknowledged.len() as u64
    }
}

/// The events on stdin. A thread of its own reads them while the window has room, so that the program can end at any time.
/// A service sends the events that it makes or receives.
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

/// The next event of length-delimited protobuf; none at the end.
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
    let publisher = Publisher { stream_id, ..Default::default() };
    publisher.run(connect(&address)?, read_events()).await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit(run().await)
}
