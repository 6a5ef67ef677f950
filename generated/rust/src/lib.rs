//! The events of a Responses stream as Protocol Buffers: the messages, and the service that streams them over gRPC.

/// The messages, and the service's client and server.
pub mod v1 {
    include!("generated/openresponses_grpc/v1/openresponses_grpc.v1.rs");
}

/// The contract as a `google.protobuf.FileDescriptorSet`, with the options `object` and `property`, which prost leaves out.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/descriptors.binpb");
