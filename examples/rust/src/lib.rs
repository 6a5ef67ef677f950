//! What the programs share.

pub mod client;

pub type Error = Box<dyn std::error::Error + Send + Sync>;
