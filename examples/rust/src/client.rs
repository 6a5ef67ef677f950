//! Connects, and tells temporary errors from final ones.

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

/// The address of the server and the id of the stream, the arguments of every program.
pub fn arguments() -> (String, String) {
    let mut arguments = env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let address = arguments.next().unwrap_or("127.0.0.1:50051".into());
    let stream_id = arguments.next().unwrap_or("resp_1".into());
    (address, stream_id)
}

/// A client that connects with its first call. After a break, the next call reconnects.
pub fn connect(address: &str) -> Result<Client, Error> {
    // Pings detect a server that disappeared without closing the connection.
    let channel = Endpoint::from_shared(format!("http://{address}"))
        .map_err(|error| format!("{address}: {error}"))?
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .connect_lazy();
    // An event may be larger than tonic's own limit, 4 MiB. The server limits the size of an event.
    Ok(Client::new(channel).max_decoding_message_size(usize::MAX))
}

/// Waits before the next attempt if the error is temporary. Returns any other error.
pub async fn recover(error: Error) -> Result<(), Error> {
    let status = error.downcast::<Status>()?;
    // tonic's status of a broken connection has a source; a status from a server has none. If the connection was closed
    // in an orderly way, the status is UNKNOWN, or has this text within a message.
    let broken = status.source().is_some() || status.message() == "Unexpected EOF decoding stream.";
    let temporary = matches!(status.code(), Code::Unavailable | Code::Cancelled | Code::Unknown)
        || broken
        || status.get_details_retry_info().is_some();
    if !temporary {
        return Err(status);
    }
    eprintln!("trying again after: {}", status.message());
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(())
}

/// Prints an error, a status with the name of its code, and sets the exit status.
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
