//! Subscribes to a stream. Reconnects and resumes.

use openresponses_grpc::v1::{OpenResponsesStreamEvent, StreamFailure, SubscribeRequest, SubscribeResponse};
use openresponses_grpc_example::Error;
use openresponses_grpc_example::client::{Client, StreamFailed, recover};
use tonic::{Status, Streaming};

/// Yields each event of a stream exactly once and in order. Reconnects and resumes.
pub struct Subscription {
    client: Client,
    request: SubscribeRequest, // resumes after the last response
    offset: u64,               // of the next event
    call: Option<Streaming<SubscribeResponse>>,
    ended: bool,
    failure: Option<StreamFailure>,
}

impl Subscription {
    pub fn new(client: Client, stream_id: String) -> Self {
        let request = SubscribeRequest { stream_id, ..Default::default() };
        Self { client, request, offset: 0, call: None, ended: false, failure: None }
    }

    /// Returns the next events: all that are ready, or `None` at the end of the stream. After the last event of a
    /// stream that failed, returns the error `StreamFailed`.
    pub async fn next(&mut self) -> Result<Option<Vec<OpenResponsesStreamEvent>>, Error> {
        // After the end of the stream, one more response waits for the status of the call.
        while !self.ended || self.call.is_some() {
            match self.response().await {
                Ok(Some(response)) => return self.accept(response).map(Some),
                Ok(None) => self.call = None,
                Err(status) => {
                    self.call = None;
                    if !self.ended {
                        recover(status.into()).await?;
                    }
                }
            }
        }
        match self.failure.take() {
            Some(failure) => Err(StreamFailed(failure).into()),
            None => Ok(None),
        }
    }

    /// Returns the next response, starting a call if none is open, or `None` if the call has ended.
    async fn response(&mut self) -> Result<Option<SubscribeResponse>, Status> {
        if self.call.is_none() {
            self.request.start_offset = Some(self.offset);
            self.call = Some(self.client.subscribe(self.request.clone()).await?.into_inner());
        }
        match &mut self.call {
            Some(call) => call.message().await,
            None => Ok(None),
        }
    }

    /// Makes the request resume after a response. Only the server computes checksums; a client sends them back.
    fn accept(&mut self, response: SubscribeResponse) -> Result<Vec<OpenResponsesStreamEvent>, Error> {
        if response.first_offset != self.offset {
            let message = format!("received offset {}; expected {}", response.first_offset, self.offset);
            return Err(Status::data_loss(message).into());
        }
        if response.epoch != 0 {
            self.request.epoch = Some(response.epoch); // 0 means that the stream does not exist yet
        }
        if response.checksum.is_some() {
            (self.request.checked_offset, self.request.checksum) = (Some(response.checked_offset), response.checksum);
        }
        self.offset += response.events.len() as u64;
        self.ended = response.end_of_stream;
        self.failure = response.failure;
        Ok(response.events)
    }
}
