//! Prints the text as it streams, each tool call and, at the end, the usage or the reason for a failure.

use std::io::{Result, Write};

use openresponses_grpc::v1::open_responses_stream_event::Kind;
use openresponses_grpc::v1::responses_output_item::Kind as Item;
use openresponses_grpc::v1::{OpenResponsesStreamEvent, OpenResponsesUsage};

/// Prints the part of an event that a reader sees, if any.
pub fn event(out: &mut impl Write, event: OpenResponsesStreamEvent) -> Result<()> {
    match event.kind {
        Some(Kind::OutputTextDelta(event)) => write!(out, "{}", event.delta()),
        Some(Kind::RefusalDelta(event)) => write!(out, "{}", event.delta()),
        Some(Kind::OutputTextDone(_) | Kind::RefusalDone(_)) => writeln!(out),
        Some(Kind::OutputItemDone(event)) => call(out, event.item.and_then(|item| item.kind)),
        Some(Kind::Completed(event)) => usage(out, event.response.unwrap_or_default().usage),
        Some(Kind::Incomplete(event)) => {
            let response = event.response.unwrap_or_default();
            writeln!(out, "incomplete: {}", response.incomplete_details.unwrap_or_default().reason())?;
            usage(out, response.usage)
        }
        Some(Kind::Failed(event)) => {
            let error = event.response.unwrap_or_default().error.unwrap_or_default();
            writeln!(out, "failed: {}", error.message())
        }
        Some(Kind::Error(event)) => {
            // In OpenAI's API, the message is one level deeper than in OpenRouter's.
            let message = event.message.or(event.error.and_then(|error| error.message));
            writeln!(out, "error: {}", message.unwrap_or_default())
        }
        _ => Ok(()),
    }
}

/// Prints the name and the arguments of a tool call. Other items, such as messages, are not calls.
fn call(out: &mut impl Write, item: Option<Item>) -> Result<()> {
    match item {
        Some(Item::FunctionCall(call)) => writeln!(out, "function {}({})", call.name(), call.arguments()),
        Some(Item::CustomToolCall(call)) => writeln!(out, "custom tool {}({})", call.name(), call.input()),
        Some(Item::McpCall(call)) => {
            writeln!(out, "MCP tool {}.{}({})", call.server_label(), call.name(), call.arguments())
        }
        _ => Ok(()),
    }
}

/// Prints the token counts. They are f64, like all numbers in events.
fn usage(out: &mut impl Write, usage: Option<OpenResponsesUsage>) -> Result<()> {
    match usage {
        Some(usage) => writeln!(out, "{} tokens in, {} tokens out", usage.input_tokens(), usage.output_tokens()),
        None => Ok(()),
    }
}
