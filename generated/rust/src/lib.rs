//! OpenRouter's streamed response events as Protocol Buffers: the messages, and the service that streams them over gRPC.

/// The messages, and the service's client and server.
pub mod v1 {
    include!("generated/openresponses/v1/openresponses.v1.rs");
}

/// The contract as a `google.protobuf.FileDescriptorSet`, with the option `event_type`, of which prost makes no code.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/descriptors.binpb");
