//! Connects, and tells a connection that broke from an answer that is final.

use std::env;
use std::error::Error as _;
use std::process::ExitCode;
use std::time::Duration;

use openresponses_grpc::v1::open_responses_stream_service_client::OpenResponsesStreamServiceClient;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::Error;

pub type Client = OpenResponsesStreamServiceClient<Channel>;

/// The address of the server and the id of the stream, which every program takes.
pub fn arguments() -> (String, String) {
    let mut arguments = env::args().skip(1);
    let address = arguments.next().unwrap_or("127.0.0.1:50051".into());
    let stream_id = arguments.next().unwrap_or("resp_1".into());
    (address, stream_id)
}

/// A client that connects with its first call, and again with the first after a break.
pub fn connect(address: &str) -> Result<Client, Error> {
    // The pings notice a server that is gone without a word.
    let channel = Endpoint::from_shared(format!("http://{address}"))
        .map_err(|error| format!("{address}: {error}"))?
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .connect_lazy();
    // An event may be larger than the 4 MiB that tonic accepts otherwise: its size is for the server to bound.
    Ok(Client::new(channel).max_decoding_message_size(usize::MAX))
}

/// Waits for the next attempt after a call that broke; returns an error that another attempt does not heal.
pub async fn recover(error: Error) -> Result<(), Error> {
    let status = error.downcast::<Status>()?;
    // tonic's status of a connection that broke has a source, which no status of a server has. One that was closed in an
    // orderly way has none either: it is UNKNOWN, or has this text where that was within a message.
    let broken = status.source().is_some() || status.message() == "Unexpected EOF decoding stream.";
    let heals = matches!(status.code(), Code::Unavailable | Code::Cancelled | Code::Unknown)
        || broken
        || status.get_details_retry_info().is_some();
    if !heals {
        return Err(status);
    }
    eprintln!("trying again after: {}", status.message());
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(())
}

/// Says what went wrong, a status with the name of its code.
pub fn exit(result: Result<(), Error>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    match error.downcast_ref::<Status>() {
        Some(status) => eprintln!("{}: {}", name(status.code()), status.message()),
        None => eprintln!("{error}"),
    }
    ExitCode::FAILURE
}

/// The code as gRPC spells it: `NOT_FOUND` for `NotFound`.
fn name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}
