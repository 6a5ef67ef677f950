//! Reads a stream, and resumes after a break.

use openresponses_grpc::v1::{OpenResponsesStreamEvent, StreamFailure, SubscribeRequest, SubscribeResponse};
use openresponses_grpc_example::Error;
use openresponses_grpc_example::client::{Client, StreamFailed, recover};
use tonic::{Status, Streaming};

/// Yields every event of a stream, once and in order. It reconnects as often as necessary.
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

    /// The next events, as many as were ready; none at the end of the stream. The error after the events of a stream that
    /// failed is `StreamFailed`.
    pub async fn next(&mut self) -> Result<Option<Vec<OpenResponsesStreamEvent>>, Error> {
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
        match self.failure.take() {
            Some(failure) => Err(StreamFailed(failure).into()),
            None => Ok(None),
        }
    }

    /// The next response, of a new call if none is open; none if the call has ended.
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

    /// Makes the request resume after a response. The server computed the checksum: a client only sends it back.
    fn accept(&mut self, response: SubscribeResponse) -> Result<Vec<OpenResponsesStreamEvent>, Error> {
        if response.first_offset != self.offset {
            let message = format!("offset {} instead of {}", response.first_offset, self.offset);
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
