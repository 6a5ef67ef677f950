//! Shows a response as it streams: cargo run --bin subscribe 127.0.0.1:50051 resp_1
//!
//! With --events, it writes the events as length-delimited protobuf instead.

mod show;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use openresponses_grpc::v1::{OpenResponsesStreamEvent, SubscribeRequest, SubscribeResponse};
use openresponses_grpc_example::Error;
use openresponses_grpc_example::client::{Client, arguments, connect, exit, recover};
use prost::Message;
use tonic::{Status, Streaming};

/// Yields every event of a stream, once and in order. It reconnects as often as necessary.
struct Subscription {
    client: Client,
    stream_id: String,
    offset: u64,
    epoch: Option<u64>,
    call: Option<Streaming<SubscribeResponse>>,
    ended: bool,
}

impl Subscription {
    fn new(client: Client, stream_id: String) -> Self {
        Self { client, stream_id, offset: 0, epoch: None, call: None, ended: false }
    }

    /// The next events, as many as were ready; none at the end of the stream.
    async fn next(&mut self) -> Result<Option<Vec<OpenResponsesStreamEvent>>, Error> {
        while !self.ended {
            match self.response().await {
                Ok(Some(response)) => return self.accept(response).map(Some),
                Ok(None) => self.call = None,
                Err(status) => {
                    self.call = None;
                    recover(status.into()).await?;
                }
            }
        }
        Ok(None)
    }

    /// The next response, of a new call if none is open; none if the call has ended.
    async fn response(&mut self) -> Result<Option<SubscribeResponse>, Status> {
        if self.call.is_none() {
            let request = SubscribeRequest {
                stream_id: self.stream_id.clone(),
                start_offset: Some(self.offset),
                epoch: self.epoch,
            };
            self.call = Some(self.client.subscribe(request).await?.into_inner());
        }
        match &mut self.call {
            Some(call) => call.message().await,
            None => Ok(None),
        }
    }

    fn accept(&mut self, response: SubscribeResponse) -> Result<Vec<OpenResponsesStreamEvent>, Error> {
        if response.first_offset != self.offset {
            let message = format!("offset {} instead of {}", response.first_offset, self.offset);
            return Err(Status::data_loss(message).into());
        }
        if response.epoch != 0 {
            self.epoch = Some(response.epoch); // 0 means that the stream does not exist yet
        }
        self.offset += response.events.len() as u64;
        self.ended = response.end_of_stream;
        Ok(response.events)
    }
}

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
