//! What the programs share.

pub mod client;
pub mod event;

pub type Error = Box<dyn std::error::Error + Send + Sync>;
