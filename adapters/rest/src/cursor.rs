//! Cursors: where a list goes on, as text that only this service makes.
//!
//! A cursor is the position of a page's last row and a code over it (HMAC-SHA-256), both in base64url. The code covers the resource and
//! the order, so that a cursor is good for the list it came from and no other. It is no permission: rules and filters apply to
//! every page anew.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rowstamp_domain::definition::ResourceDefinition;
use rowstamp_domain::field_type::FieldType;
use rowstamp_domain::query::{OrderTerm, Query};
use rowstamp_domain::value::Value;
use rowstamp_ports::{Problems, Secret, Vars};
use sha2::Sha256;

use crate::problem::{Problem, codes};

/// The setting.
const KEY: &str = "ROWSTAMP_CURSOR_KEY";
/// The fewest bytes that a key may have.
const MIN_KEY_BYTES: usize = 16;
/// How much of a code a cursor carries, in bytes.
const CODE_BYTES: usize = 16;
/// What the code covers first, so that the same key can never be made to sign something else.
const DOMAIN: &[u8] = b"rowstamp cursor 1";

/// The keys that cursors are signed with: the first signs, each is accepted. Without any, the code is a checksum.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CursorKeys(Vec<Secret>);

impl CursorKeys {
    /// Reads `ROWSTAMP_CURSOR_KEY`: a key, or two while one takes the other's place.
    pub(crate) fn read(vars: &Vars, problems: &mut Problems) -> Self {
        let Some(text) = vars.get(KEY) else {
            return Self::default();
        };
        let keys: Vec<Secret> = text.split(',').map(|key| Secret::new(key.trim())).collect();
        if keys.len() > 2 {
            problems.report(KEY, "expected one key, or two with a comma between them");
        }
        if keys.iter().any(|key| key.expose().len() < MIN_KEY_BYTES) {
            problems.report(KEY, format!("a key has at least {MIN_KEY_BYTES} bytes"));
        }
        Self(keys)
    }

    /// The cursor of this position in `query`, a list of `resource`.
    pub(crate) fn write(&self, position: &[Value], query: &Query, resource: &ResourceDefinition) -> String {
        let texts: Vec<Option<String>> = position
            .iter()
            .map(|value| {
                (!value.is_null()).then(|| {
                    let mut text = String::new();
                    value.write_text(&mut text);
                    text
                })
            })
            .collect();
        // Serialising strings into memory cannot fail.
        let payload = serde_json::to_vec(&texts).unwrap_or_default();
        let key = self.0.first().map_or("", |key| key.expose());
        let code = code(key, &payload, query, resource).finalize().into_bytes();
        let mut bytes = code[..CODE_BYTES].to_vec();
        bytes.extend_from_slice(&payload);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position that a cursor holds.
    ///
    /// # Errors
    /// 400 when it was not made here for a list of this resource in this order.
    pub(crate) fn read_cursor(
        &self,
        text: &str,
        query: &Query,
        resource: &ResourceDefinition,
    ) -> Result<Vec<Value>, Problem> {
        self.position(text, query, resource).ok_or_else(|| {
            Problem::new(
                codes::INVALID_CURSOR,
                "the cursor does not belong to this list in this order",
            )
            .hint("take it as it is from `Link`, and keep `order`; without `cursor` the list begins anew")
        })
    }

    fn position(&self, text: &str, query: &Query, resource: &ResourceDefinition) -> Option<Vec<Value>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (sent, payload) = bytes.split_at_checked(CODE_BYTES)?;
        let checksum = [Secret::new("")];
        let keys = if self.0.is_empty() {
            &checksum[..]
        } else {
            &self.0[..]
        };
        let is_ours = |key: &Secret| {
            code(key.expose(), payload, query, resource)
                .verify_truncated_left(sent)
                .is_ok()
        };
        if !keys.iter().any(is_ours) {
            return None;
        }
        let texts: Vec<Option<String>> = serde_json::from_slice(payload).ok()?;
        if texts.len() != query.order.len() {
            return None;
        }
        let values = query.order.iter().zip(texts).map(|(term, text)| match text {
            None => Some(Value::Null),
            Some(text) => Value::read_text(&text, ty(term, query, resource)).ok(),
        });
        values.collect()
    }
}

/// The type of the values that a term orders by.
fn ty(term: &OrderTerm, query: &Query, resource: &ResourceDefinition) -> FieldType {
    let embedded = term
        .embed
        .and_then(|position| query.select.embeds().find(|(at, _)| *at == position));
    match embedded {
        Some((_, embed)) => term.operand.ty(&embed.resource),
        None => term.operand.ty(resource),
    }
}

fn code(key: &str, payload: &[u8], query: &Query, resource: &ResourceDefinition) -> Hmac<Sha256> {
    let mut code = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of every length");
    let order = query.order_text(resource);
    for part in [DOMAIN, resource.name.as_bytes(), order.as_bytes(), payload] {
        // The length first, so that no two lists of parts are the same bytes.
        code.update(&(part.len() as u64).to_le_bytes());
        code.update(part);
    }
    code
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use rowstamp_domain::definition::{ApiDefinition, FieldId, toml};
    use rowstamp_domain::query::{Condition, Reach, Scope, Unreachable};
    use rowstamp_domain::value::Json;

    use super::*;

    struct Everything;

    impl Reach for Everything {
        fn may_read(&self, _: &ResourceDefinition, _: FieldId) -> bool {
            true
        }

        fn embedded(&self, _: &ResourceDefinition) -> Result<Condition, Unreachable> {
            Ok(Condition::Always)
        }
    }

    fn library() -> ApiDefinition {
        let text = "[resources.books.fields]\ntitle = { type = \"text\" }\npages = { type = \"integer\" }\n\
            details = { type = \"json\" }\n[resources.authors.fields]\ntitle = { type = \"text\" }";
        toml::parse("library.toml", text).unwrap()
    }

    fn query(api: &ApiDefinition, order: &str) -> Query {
        let scope = Scope {
            api,
            resource: &api.resources[0],
            reach: &Everything,
        };
        Query::parse([("order", order)], &scope).unwrap().query
    }

    fn keys(text: &str) -> CursorKeys {
        let mut problems = Problems::new();
        let vars = Vars::new([(KEY.to_owned(), text.to_owned())]);
        let keys = CursorKeys::read(&vars, &mut problems);
        assert!(problems.is_empty(), "{problems}");
        keys
    }

    fn position() -> Vec<Value> {
        vec![
            Value::Text("a \"b\", é".to_owned()),
            Value::Null,
            Value::Json(Json::parse("{\"a\": [1, null]}").unwrap()),
            Value::Uuid(uuid::Uuid::from_u128(7)),
        ]
    }

    #[test]
    fn a_cursor_reads_back_as_the_position_it_was_made_of() {
        let api = library();
        let books = &api.resources[0];
        let query = query(&api, "title.desc,pages,details");
        for keys in [CursorKeys::default(), keys("0123456789abcdef")] {
            let text = keys.write(&position(), &query, books);
            assert!(
                text.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            );
            assert_eq!(keys.read_cursor(&text, &query, books), Ok(position()));
        }
    }

    #[test]
    fn a_cursor_is_good_for_its_own_list_and_nothing_else() {
        let api = library();
        let (books, authors) = (&api.resources[0], &api.resources[1]);
        let asked = query(&api, "title.desc,pages,details");
        let (old, new) = (
            keys("an old key of some length"),
            keys("a new key of some length"),
        );
        let both = keys("a new key of some length, an old key of some length");
        let text = old.write(&position(), &asked, books);
        assert!(both.read_cursor(&text, &asked, books).is_ok());
        assert!(new.read_cursor(&text, &asked, books).is_err());
        assert!(CursorKeys::default().read_cursor(&text, &asked, books).is_err());
        assert!(old.read_cursor(&text, &asked, authors).is_err());
        for order in [
            "title,pages,details",
            "title.desc,pages",
            "title.desc,details,pages",
            "title.desc.nullslast,pages,details",
        ] {
            assert!(
                old.read_cursor(&text, &query(&api, order), books).is_err(),
                "{order}"
            );
        }
        assert!(
            new.read_cursor(&both.write(&position(), &asked, books), &asked, books)
                .is_ok()
        );
    }

    #[test]
    fn a_cursor_that_was_changed_anywhere_is_none() {
        let api = library();
        let books = &api.resources[0];
        let query = query(&api, "title.desc,pages,details");
        let keys = keys("0123456789abcdef");
        let text = keys.write(&position(), &query, books);
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            let read = keys.read_cursor(&changed, &query, books);
            // The last character can hold bits that mean nothing; base64 without padding refuses those too.
            assert_eq!(read.unwrap_err().code(), "RS_INVALID_CURSOR", "{at}");
        }
        for text in ["", "AAAA", "not base64!", &text[..text.len() - 4]] {
            assert!(keys.read_cursor(text, &query, books).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_are_long_and_at_most_two() {
        for text in [
            "short",
            "0123456789abcdef,short",
            "0123456789abcdef,0123456789abcdeg,0123456789abcdeh",
        ] {
            let mut problems = Problems::new();
            CursorKeys::read(&Vars::new([(KEY.to_owned(), text.to_owned())]), &mut problems);
            assert!(!problems.is_empty(), "{text}");
            assert!(!problems.to_string().contains(text));
        }
    }
}
