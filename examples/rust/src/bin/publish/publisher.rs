//! Publishes a stream as its only publisher. Reconnects and resumes.

use std::collections::VecDeque;

use openresponses_grpc::v1::{OpenResponsesStreamEvent, PublishRequest, PublishResponse};
use openresponses_grpc_example::Error;
use openresponses_grpc_example::client::{Client, recover};
use prost::Message;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

const REQUEST_BYTES: usize = 1 << 20;
const EARLY_END: &str = "the call ended early";

/// An event and its share of the window, which is released on drop.
pub type Held = (OpenResponsesStreamEvent, OwnedSemaphorePermit);
pub type Events = mpsc::UnboundedReceiver<Result<Held, Error>>;

/// Publishes each event exactly once. Reconnects and resumes until a newer publisher claims the stream.
pub struct Publisher {
    /// The first request of a call. With publisher 0, it draws a publisher number. With a number and an epoch, it
    /// claims the stream and verifies that the server still has all acknowledged events.
    claim: PublishRequest,
    claimed: bool, // whether the reply to the first claim has set the offsets
    unacknowledged: VecDeque<Held>,
    offset: u64, // of unacknowledged[0]
    sent: u64,   // the offset after the last event that any call has sent
    ended: bool, // whether `unacknowledged` contains the last event
}

impl Publisher {
    pub fn new(stream_id: String) -> Self {
        let claim = PublishRequest { stream_id, publisher: Some(0), ..Default::default() };
        Self { claim, claimed: false, unacknowledged: VecDeque::new(), offset: 0, sent: 0, ended: false }
    }

    /// Publishes until every event is stored and the stream has ended.
    pub async fn run(mut self, mut client: Client, mut events: Events) -> Result<(), Error> {
        while let Err(error) = self.call(&mut client, &mut events).await {
            recover(error).await?;
        }
        Ok(())
    }

    /// Claims the stream and sends the unacknowledged events, until all are stored or the call fails.
    async fn call(&mut self, client: &mut Client, events: &mut Events) -> Result<(), Error> {
        let (requests, receiver) = mpsc::channel(1);
        requests.send(self.claim.clone()).await?;
        let mut responses = client.publish(ReceiverStream::new(receiver)).await?.into_inner();
        if self.claim.publisher == Some(0) {
            self.acknowledge(responses.message().await?)?;
            // If the call fails, `message` returns the error; `send` does not.
            let _ = requests.send(self.claim.clone()).await;
        }
        self.acknowledge(responses.message().await?)?;
        let mut next = self.offset;
        let mut last = false;
        while !last {
            tokio::select! {
                biased;
                response = responses.message() => {
                    self.acknowledge(response?)?;
                    next = next.max(self.offset); // events from an earlier call may have been stored in the meantime
                }
                // Precedes the requests, so that the next request contains all events that are ready.
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
        if self.unacknowledged.is_empty() { Ok(()) } else { Err(Status::unavailable(EARLY_END).into()) }
    }

    /// Returns a request with as many events as fit, from an offset on. Large requests increase the throughput.
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
        PublishRequest {
            publisher: self.claim.publisher,
            epoch: self.claim.epoch,
            first_offset: Some(first_offset),
            events,
            end_of_stream,
            ..Default::default()
        }
    }

    /// Removes the stored events and copies the position for the next claim. Only the server computes checksums; a
    /// client sends them back.
    fn acknowledge(&mut self, response: Option<PublishResponse>) -> Result<(), Status> {
        let response = response.ok_or_else(|| Status::unavailable(EARLY_END))?;
        self.claim.epoch = Some(response.epoch);
        self.claim.checked_offset = Some(response.checked_offset);
        self.claim.checksum = response.checksum;
        if response.publisher.is_some() {
            self.claim.publisher = response.publisher;
            return Ok(());
        }
        let next_offset = response.next_offset;
        if !self.claimed {
            (self.offset, self.sent, self.claimed) = (next_offset, next_offset, true);
        }
        if !(self.offset..=self.sent).contains(&next_offset) {
            let (offset, sent) = (self.offset, self.sent);
            let message = format!("the server acknowledged offset {next_offset}; expected {offset} to {sent}");
            return Err(Status::data_loss(message));
        }
        self.unacknowledged.drain(..(next_offset - self.offset) as usize);
        self.offset = next_offset;
        Ok(())
    }

    /// Returns the offset after all events.
    fn end(&self) -> u64 {
        self.offset + self.unacknowledged.len() as u64
    }
}
