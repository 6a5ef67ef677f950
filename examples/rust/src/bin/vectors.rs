//! Decodes each test vector of a folder with prost: cargo run --all-features --bin vectors ../../tests/vectors

use std::collections::HashMap;
use std::fmt::Write;
use std::{env, fs};

use openresponses_grpc::FILE_DESCRIPTOR_SET;
use openresponses_grpc::v1::OpenResponsesStreamEvent;
use openresponses_grpc_example::Error;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};

fn main() -> Result<(), Error> {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET)?;
    let event = pool.get_message_by_name("openresponses_grpc.v1.OpenResponsesStreamEvent");
    let event = event.ok_or("the descriptors do not contain OpenResponsesStreamEvent")?;
    let folder = env::args().nth(1).unwrap_or("../../tests/vectors".into());
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        let (Some(name), true) = (path.file_stem(), path.extension().is_some_and(|extension| extension == "json"))
        else {
            continue;
        };
        let vector: HashMap<String, String> = serde_json::from_str(&fs::read_to_string(&path)?)?;
        let decoded = OpenResponsesStreamEvent::decode(from_hex(&vector["hex"])?.as_slice())?;
        let parsed = DynamicMessage::parse_text_format(event.clone(), &vector["text"])?;
        let parsed: OpenResponsesStreamEvent = parsed.transcode_to()?;
        if decoded != parsed {
            return Err(format!("{}: hex is {decoded:?}, text is {parsed:?}", path.display()).into());
        }
        println!(
            r#"{{"name":"{}","hex":"{}","text":"{}"}}"#,
            name.to_string_lossy(),
            to_hex(&decoded),
            to_hex(&parsed)
        );
    }
    Ok(())
}

fn from_hex(hex: &str) -> Result<Vec<u8>, Error> {
    let bytes = hex.as_bytes().chunks(2);
    bytes.map(|pair| Ok(u8::from_str_radix(str::from_utf8(pair)?, 16)?)).collect()
}

fn to_hex(event: &OpenResponsesStreamEvent) -> String {
    let mut hex = String::new();
    for byte in event.encode_to_vec() {
        write!(hex, "{byte:02x}").expect("a string has room");
    }
    hex
}
