//! The content hash in the names of generated ConfigMaps and Secrets.
//!
//! It is the SHA-256 of a JSON text with the data, as `api/hasher/hasher.go` writes it, with its two oddities: the name in
//! that text is always empty, and `<`, `>` and `&` are escaped.

use sha2::{Digest, Sha256};

use crate::resource::Resource;
use crate::yaml::{JsonNumbers, Key, Node, ViewFault, known, write_json, write_json_string};

/// Why an object has no content hash.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum HashFault {
    /// Only ConfigMaps and Secrets have one.
    Kind,
    /// The object's data cannot be written.
    View(ViewFault),
}

/// Returns the content hash of a ConfigMap or Secret: ten characters.
pub(crate) fn content_hash(resource: &Resource) -> Result<String, HashFault> {
    let node = resource.node();
    let mut json = String::from("{");
    match resource.id().gvk.kind.as_str() {
        "ConfigMap" => {
            write_optional_map(node, known::BINARY_DATA, &mut json)?;
            write_field(node, known::DATA, &mut json)?;
            json.push_str("\"kind\":\"ConfigMap\",\"name\":\"\"}");
        }
        "Secret" => {
            write_field(node, known::DATA, &mut json)?;
            json.push_str("\"kind\":\"Secret\",\"name\":\"\",");
            write_optional_map(node, known::STRING_DATA, &mut json)?;
            write_field(node, known::TYPE, &mut json)?;
            json.pop();
            json.push('}');
        }
        _ => return Err(HashFault::Kind),
    }
    Ok(encode(&Sha256::digest(json.as_bytes())))
}

/// Writes a field: a map as it is, a scalar's text as a string, an empty string where there is none.
fn write_field(node: &Node, key: Key, json: &mut String) -> Result<(), HashFault> {
    write_json_string(key.text(), json);
    json.push(':');
    match node.get(key) {
        Some(value) if value.is_scalar() => write_json_string(value.text(), json),
        Some(value) if value.elements().is_some() => json.push_str("null"),
        Some(value) => write_json(value, JsonNumbers::Floats, json).map_err(HashFault::View)?,
        None => json.push_str("\"\""),
    }
    json.push(',');
    Ok(())
}

fn write_optional_map(node: &Node, key: Key, json: &mut String) -> Result<(), HashFault> {
    if node.get(key).is_some_and(|value| !value.is_scalar()) {
        write_field(node, key, json)?;
    }
    Ok(())
}

/// The first ten hexadecimal digits, with those replaced that could spell a word.
fn encode(digest: &[u8]) -> String {
    let hex = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let letter = |digit: u8| match digit {
        0 => 'g',
        1 => 'h',
        3 => 'k',
        10 => 'm',
        14 => 't',
        digit => char::from_digit(digit.into(), 16).unwrap_or('g'),
    };
    hex.take(10).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Scopes;
    use crate::yaml::{Dialect, parse_document};

    fn hash(text: &str) -> Result<String, HashFault> {
        let node = parse_document(text, 1, Dialect::V3).unwrap().unwrap();
        content_hash(&Resource::new(node, &Scopes::default()))
    }

    #[test]
    fn hashes_are_kustomizes() {
        assert_eq!(hash("kind: ConfigMap\ndata: {data: <b>&}\n").as_deref().map(str::len), Ok(10));
        assert_eq!(hash("kind: ConfigMap\n").as_deref(), Ok("6ct58987ht"));
        assert_eq!(hash("kind: ConfigMap\nmetadata: {name: x}\n").as_deref(), Ok("6ct58987ht"));
        assert_eq!(hash("kind: Deployment\n"), Err(HashFault::Kind));
    }
}
