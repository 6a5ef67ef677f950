//! Turns messages into the SDK's JSON and back, led by the descriptors: no event and no property is named here.

use std::sync::LazyLock;

use indexmap::IndexMap;
use openresponses_grpc::FILE_DESCRIPTOR_SET;
use openresponses_grpc::v1::open_responses_stream_event::Event;
use openresponses_grpc::v1::{OpenResponsesStreamEvent, UnrecognizedEvent};
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use serde_json::value::RawValue;

use crate::Error;

/// The properties of an event in their order, each value as its text; of two with one name the last counts.
type Properties<'a> = IndexMap<String, &'a RawValue>;

/// An event that the contract models.
struct Modelled {
    arm: FieldDescriptor,
    message: MessageDescriptor,
    fields: Vec<FieldDescriptor>,
    event_type: String,
}

/// The message of every event; its arms are in `MODELLED`.
static EVENT: LazyLock<MessageDescriptor> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("protoc made it");
    pool.get_message_by_name("openresponses.v1.OpenResponsesStreamEvent").expect("the contract has it")
});

static MODELLED: LazyLock<Vec<Modelled>> = LazyLock::new(|| EVENT.fields().filter_map(Modelled::new).collect());

/// The event as JSON text: the SDK's properties, and behind them those that the contract does not name.
pub fn to_json(event: &OpenResponsesStreamEvent) -> Result<String, Error> {
    if let Some(Event::Unrecognized(event)) = &event.event {
        return Ok(event.json.clone());
    }
    let mut message = DynamicMessage::new(EVENT.clone());
    message.transcode_from(event)?;
    let modelled = MODELLED.iter().find(|modelled| message.has_field(&modelled.arm));
    let mut json = modelled.ok_or("an event of a newer contract")?.write(&message)?;
    let extra = event.extra_json().trim();
    if !extra.is_empty() {
        // As text: to parse it would round large numbers.
        let properties = extra.strip_prefix('{').and_then(|extra| extra.strip_suffix('}'));
        let properties = properties.ok_or_else(|| format!("extra_json is no object: {extra}"))?.trim();
        if !properties.is_empty() {
            json = json + "," + properties;
        }
    }
    Ok(json + "}")
}

/// The event that a text of the SDK's JSON describes; one that fits no message is carried as it is.
pub fn from_json(json: &str) -> Result<OpenResponsesStreamEvent, Error> {
    let mut properties: Properties =
        serde_json::from_str(json).map_err(|error| format!("no event: {error}: {json}"))?;
    let event_type = properties.shift_remove("type").and_then(|value| serde_json::from_str::<String>(value.get()).ok());
    let event_type = event_type.ok_or_else(|| format!("no event: there is no type: {json}"))?;
    let modelled = MODELLED.iter().find(|modelled| modelled.event_type == event_type);
    Ok(modelled.and_then(|modelled| modelled.read(properties)).unwrap_or_else(|| {
        let event = Event::Unrecognized(UnrecognizedEvent { r#type: event_type, json: json.to_owned() });
        OpenResponsesStreamEvent { event: Some(event), extra_json: None }
    }))
}

impl Modelled {
    /// The event of an arm; none where its message has no type.
    fn new(arm: FieldDescriptor) -> Option<Self> {
        let Kind::Message(message) = arm.kind() else { return None };
        let option = message.parent_pool().get_extension_by_name("openresponses.v1.event_type")?;
        let options = message.options();
        let event_type = options.has_extension(&option).then(|| options.get_extension(&option))?.as_str()?.to_owned();
        // `message.fields()` has them by their numbers; the SDK's order is the contract's.
        let fields = &message.descriptor_proto().field;
        let fields = fields.iter().filter_map(|field| message.get_field_by_name(field.name())).collect();
        Some(Self { arm, message, fields, event_type })
    }

    /// The properties that the message names as JSON text, open at its end.
    fn write(&self, event: &DynamicMessage) -> Result<String, Error> {
        let message = event.get_field(&self.arm);
        let message = message.as_message().ok_or("an arm is a message")?;
        let mut json = format!(r#"{{"type":{}"#, serde_json::to_string(&self.event_type)?);
        for field in &self.fields {
            let name = field.json_name();
            if !message.has_field(field) {
                return Err(format!("{}: {name} is missing", self.event_type).into());
            }
            let value = match message.get_field(field).as_ref() {
                Value::String(value) => serde_json::to_string(value)?,
                Value::F64(value) if value.is_finite() => ryu_js::Buffer::new().format_finite(*value).to_owned(),
                Value::Bool(value) => value.to_string(),
                other => return Err(format!("{}: {name} is {other}", self.event_type).into()),
            };
            json += &format!(",{}:{value}", serde_json::to_string(name)?);
        }
        Ok(json)
    }

    /// The event with these properties; none where a field's is missing, has another spelling or another kind of value.
    fn read(&self, mut properties: Properties) -> Option<OpenResponsesStreamEvent> {
        let mut message = DynamicMessage::new(self.message.clone());
        for field in &self.fields {
            if field.name() != field.json_name() && properties.contains_key(field.name()) {
                return None;
            }
            let value = properties.shift_remove(field.json_name())?.get();
            let value = match field.kind() {
                Kind::String => serde_json::from_str(value).map(Value::String),
                Kind::Double => serde_json::from_str(value).map(Value::F64),
                Kind::Bool => serde_json::from_str(value).map(Value::Bool),
                _ => return None,
            };
            message.set_field(field, value.ok()?);
        }
        let mut event = DynamicMessage::new(EVENT.clone());
        event.set_field(&self.arm, Value::Message(message));
        let event: OpenResponsesStreamEvent = event.transcode_to().ok()?;
        let extra_json = (!properties.is_empty()).then(|| serde_json::to_string(&properties)).transpose().ok()?;
        Some(OpenResponsesStreamEvent { extra_json, ..event })
    }
}
