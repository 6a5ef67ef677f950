//! Prints what these programs make of each of the vectors in a folder: cargo run --bin vectors ../../tests/vectors

use std::collections::HashMap;
use std::fmt::Write;
use std::{env, fs};

use openresponses_grpc::v1::OpenResponsesStreamEvent;
use openresponses_grpc_example::Error;
use openresponses_grpc_example::event::{from_json, to_json};
use prost::Message;

fn main() -> Result<(), Error> {
    let folder = env::args().nth(1).unwrap_or("../../tests/vectors".into());
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        let (Some(name), true) = (path.file_stem(), path.extension().is_some_and(|extension| extension == "json"))
        else {
            continue;
        };
        let vector: HashMap<String, String> = serde_json::from_str(&fs::read_to_string(&path)?)?;
        let event = OpenResponsesStreamEvent::decode(from_hex(&vector["hex"])?.as_slice())?;
        println!(
            r#"{{"name":{},"hex":"{}","json":{},"read":"{}"}}"#,
            serde_json::to_string(&name.to_string_lossy())?,
            to_hex(&event),
            serde_json::to_string(&to_json(&event)?)?,
            to_hex(&from_json(&vector["camelCase"])?),
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
