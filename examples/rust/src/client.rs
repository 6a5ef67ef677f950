//! Connects to a server and classifies its errors as temporary or permanent.

use std::env;
use std::error::Error as _;
use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use openresponses_grpc::v1::StreamFailure;
use openresponses_grpc::v1::open_responses_stream_service_client::OpenResponsesStreamServiceClient;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::Error;

pub type Client = OpenResponsesStreamServiceClient<Channel>;

/// Returns the arguments of the programs: the address of the server and the id of the stream.
pub fn arguments() -> (String, String) {
    let mut arguments = env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let address = arguments.next().unwrap_or("127.0.0.1:50051".into());
    let stream_id = arguments.next().unwrap_or("resp_1".into());
    (address, stream_id)
}

/// Returns a client that connects on its first call. If the connection breaks, the next call reconnects.
pub fn connect(address: &str) -> Result<Client, Error> {
    // Pings detect a server that disappeared without closing the connection.
    let channel = Endpoint::from_shared(format!("http://{address}"))
        .map_err(|error| format!("{address}: {error}"))?
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10))
        .connect_lazy();
    // Events may be larger than tonic's default limit of 4 MiB. The server limits their size.
    Ok(Client::new(channel).max_decoding_message_size(usize::MAX))
}

/// Sleeps before a retry if the error is temporary. Otherwise returns the error.
pub async fn recover(error: Error) -> Result<(), Error> {
    let status = error.downcast::<Status>()?;
    // tonic's status for a broken connection has a source; a status from a server has none. If the peer closed the
    // connection cleanly, the status is UNKNOWN or, within a message, has this text.
    let broken = status.source().is_some() || status.message() == "Unexpected EOF decoding stream.";
    let temporary = matches!(status.code(), Code::Unavailable | Code::Cancelled | Code::Unknown)
        || broken
        || status.get_details_retry_info().is_some();
    if !temporary {
        return Err(status);
    }
    eprintln!("retrying after error: {}", status.message());
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(())
}

/// The stream ended in failure.
#[derive(Debug)]
pub struct StreamFailed(pub StreamFailure);

impl fmt::Display for StreamFailed {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "the stream failed: {}: {}", self.0.reason, self.0.message)
    }
}

impl std::error::Error for StreamFailed {}

/// Prints an error and returns the exit status: 3 if the server returned the error or the stream failed, otherwise 1.
pub fn exit(result: Result<(), Error>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    if let Some(status) = error.downcast_ref::<Status>() {
        eprintln!("{}: {}", reason(status), status.message());
    } else {
        eprintln!("{error}");
    }
    if error.is::<Status>() || error.is::<StreamFailed>() { ExitCode::from(3) } else { ExitCode::FAILURE }
}

/// Returns the reason of an error, such as `STREAM_DIVERGED`, or the name of its code if it has none.
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map_or_else(|| name(status.code()), |info| info.reason)
}

/// Returns the canonical name of a code: `NOT_FOUND` for `NotFound`.
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
