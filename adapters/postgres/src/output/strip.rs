//! JSON without the members that are null, as `json_strip_nulls` has it: members of objects go, at any depth, elements of arrays stay.

use rowstamp_domain::json_text::Buffer;

/// An object or array that is not at its end yet.
enum Open {
    Array,
    Object {
        /// Where the member that is being read begins, the comma before it included.
        member: usize,
        /// Whether a member was kept.
        kept: bool,
    },
}

/// Takes the null members out of the JSON text that begins at `start`. PostgreSQL sent it, so it is well formed; other bytes stay
/// bytes.
pub(super) fn strip(start: usize, out: &mut Buffer) {
    let json = out.as_slice()[start..].to_vec();
    out.truncate(start);
    let mut open: Vec<Open> = Vec::new();
    let mut null = false;
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        let end = at + token(&json[at..]);
        let text = &json[at..end];
        at = end;
        match byte {
            b'{' => {
                out.push(byte);
                open.push(Open::Object {
                    member: out.len(),
                    kept: false,
                });
                null = false;
            }
            b'[' => {
                out.push(byte);
                open.push(Open::Array);
                null = false;
            }
            b'}' | b']' => {
                end_member(&mut open, null, out);
                open.pop();
                out.push(byte);
                null = false;
            }
            b',' => {
                end_member(&mut open, null, out);
                if let Some(Open::Object { kept: false, .. }) = open.last() {
                    // The first member that is kept has no comma before it, nor the space behind that.
                    at += json[at..]
                        .iter()
                        .take_while(|byte| byte.is_ascii_whitespace())
                        .count();
                } else {
                    out.push(byte);
                }
                null = false;
            }
            b' ' | b'\t' | b'\n' | b'\r' => out.extend_from_slice(text),
            b':' => out.push(byte),
            _ => {
                null = text == b"null";
                out.extend_from_slice(text);
            }
        }
    }
}

/// Keeps the member that ends here, or forgets it.
fn end_member(open: &mut [Open], null: bool, out: &mut Buffer) {
    if let Some(Open::Object { member, kept }) = open.last_mut() {
        if null {
            out.truncate(*member);
        } else if out.len() > *member {
            *kept = true;
        }
        *member = out.len();
    }
}

/// How long the token is that begins here.
fn token(json: &[u8]) -> usize {
    match json[0] {
        b'"' => {
            let mut at = 1;
            while at < json.len() && json[at] != b'"' {
                at += if json[at] == b'\\' { 2 } else { 1 };
            }
            (at + 1).min(json.len())
        }
        b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
        first if first.is_ascii_whitespace() => {
            json.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
        }
        _ => json
            .iter()
            .take_while(|byte| !matches!(byte, b',' | b'}' | b']' | b':') && !byte.is_ascii_whitespace())
            .count()
            .max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_members_go_and_null_elements_stay() {
        for (json, stripped) in [
            ("null", "null"),
            ("1.50", "1.50"),
            (r#""null""#, r#""null""#),
            ("[null, 1]", "[null, 1]"),
            (r#"{"a": null}"#, "{}"),
            (r#"{"a": null, "b": 1}"#, r#"{"b": 1}"#),
            (r#"{"a": 1, "b": null}"#, r#"{"a": 1}"#),
            (r#"{"a": 1, "b": null, "c": 2}"#, r#"{"a": 1, "c": 2}"#),
            (r#"{"a": null, "b": null, "c": {}}"#, r#"{"c": {}}"#),
            (r#"{"a": {"b": null}}"#, r#"{"a": {}}"#),
            (
                r#"[{"a": null}, {"b": [{"c": null, "d": [null]}]}]"#,
                r#"[{}, {"b": [{"d": [null]}]}]"#,
            ),
            (
                r#"{"null": "null", "a\"b,}": "\\", "c": "null,"}"#,
                r#"{"null": "null", "a\"b,}": "\\", "c": "null,"}"#,
            ),
            ("{}", "{}"),
        ] {
            let mut out = Buffer::from(&b"before"[..]);
            out.extend_from_slice(json.as_bytes());
            strip(6, &mut out);
            assert_eq!(String::from_utf8_lossy(&out.as_slice()[6..]), stripped, "{json}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let depth = 200_000;
        let before = [vec![b'['; depth], vec![b']'; depth]].concat();
        let mut out = Buffer::from(&*before);
        strip(0, &mut out);
        assert_eq!(out.as_slice(), before);
    }
}
