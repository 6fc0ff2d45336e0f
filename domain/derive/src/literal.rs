//! Values in attributes: read as Rust literals, written as the JSON text that a specification keeps.
//!
//! Numbers keep every digit as written. Whether a value suits its field's type is judged by `field`.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::Lit;

use crate::options::split_at_commas;

/// A value in an attribute.
pub(crate) struct Literal {
    pub(crate) kind: Kind,
    /// The value as JSON text.
    pub(crate) json: String,
    pub(crate) span: Span,
}

/// What a literal is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Text,
    Integer,
    Fraction,
    Boolean,
    List,
    Object,
    Null,
}

impl Literal {
    /// Reads one value: a literal, `[…]`, `{ "key": … }` or `null`.
    pub(crate) fn read(tokens: &TokenStream) -> syn::Result<Self> {
        let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
        let unexpected = || {
            syn::Error::new_spanned(
                tokens,
                "expected a value: a string, a number, `true`, `false`, `[…]` or `{ \"key\": … }`",
            )
        };
        let (json, kind) = match &trees[..] {
            [TokenTree::Group(group)] if group.delimiter() == Delimiter::Bracket => {
                let elements = split_at_commas(group.stream())
                    .into_iter()
                    .map(|piece| Self::read(&piece.into_iter().collect()).map(|element| element.json))
                    .collect::<syn::Result<Vec<_>>>()?;
                (format!("[{}]", elements.join(",")), Kind::List)
            }
            [TokenTree::Group(group)] if group.delimiter() == Delimiter::Brace => {
                let members = split_at_commas(group.stream())
                    .into_iter()
                    .map(member)
                    .collect::<syn::Result<Vec<_>>>()?;
                (format!("{{{}}}", members.join(",")), Kind::Object)
            }
            [TokenTree::Ident(word)] if word == "null" => ("null".to_owned(), Kind::Null),
            [TokenTree::Punct(minus), TokenTree::Literal(_)] if minus.as_char() == '-' => {
                let positive = Self::read(&trees[1].clone().into())?;
                match positive.kind {
                    Kind::Integer | Kind::Fraction => (format!("-{}", positive.json), positive.kind),
                    _ => return Err(unexpected()),
                }
            }
            _ => match syn::parse2::<Lit>(tokens.clone()).map_err(|_| unexpected())? {
                Lit::Str(text) => (json_string(&text.value()), Kind::Text),
                Lit::Bool(boolean) => (boolean.value.to_string(), Kind::Boolean),
                Lit::Int(number) => (number.base10_digits().to_owned(), Kind::Integer),
                Lit::Float(number) => (json_fraction(number.base10_digits()), Kind::Fraction),
                _ => return Err(unexpected()),
            },
        };
        let span = syn::Error::new_spanned(tokens, "").span();
        Ok(Self { kind, json, span })
    }
}

/// `"key": value`
fn member(piece: Vec<TokenTree>) -> syn::Result<String> {
    let mut tokens = piece.iter();
    let key = tokens
        .next()
        .and_then(|token| syn::parse2::<syn::LitStr>(token.clone().into()).ok());
    let colon = matches!(tokens.next(), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    let value: TokenStream = tokens.cloned().collect();
    match key {
        Some(key) if colon && !value.is_empty() => Ok(format!(
            "{}:{}",
            json_string(&key.value()),
            Literal::read(&value)?.json
        )),
        _ => Err(syn::Error::new_spanned(
            piece.into_iter().collect::<TokenStream>(),
            "expected `\"key\": value`",
        )),
    }
}

/// Rust allows `1.`, JSON does not.
fn json_fraction(digits: &str) -> String {
    if digits.ends_with('.') {
        format!("{digits}0")
    } else {
        digits.to_owned()
    }
}

/// A JSON string, escaped as RFC 8259 §7 asks.
fn json_string(text: &str) -> String {
    use std::fmt::Write;

    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            control if control < ' ' => {
                write!(json, "\\u{:04x}", u32::from(control)).expect("writing to a string cannot fail");
            }
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(source: &str) -> Result<(Kind, String), String> {
        let tokens: TokenStream = source.parse().map_err(|error| format!("{error}"))?;
        Literal::read(&tokens)
            .map(|literal| (literal.kind, literal.json))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn rust_literals_become_json_with_every_digit() {
        let cases = [
            (r#""a\"b\\\n\u{1}é""#, Kind::Text, r#""a\"b\\\n\u0001é""#),
            (r##"r#"^"x"$"#"##, Kind::Text, r#""^\"x\"$""#),
            ("12", Kind::Integer, "12"),
            ("-1_000", Kind::Integer, "-1000"),
            ("0xff", Kind::Integer, "255"),
            (
                "99999999999999999999999999",
                Kind::Integer,
                "99999999999999999999999999",
            ),
            (
                "1.500000000000000000000001",
                Kind::Fraction,
                "1.500000000000000000000001",
            ),
            ("-1.", Kind::Fraction, "-1.0"),
            ("1e400", Kind::Fraction, "1e400"),
            ("true", Kind::Boolean, "true"),
            ("null", Kind::Null, "null"),
            (r#"["a", 1, [null],]"#, Kind::List, r#"["a",1,[null]]"#),
            (
                r#"{ "a": 1, "b": { "c": [] } }"#,
                Kind::Object,
                r#"{"a":1,"b":{"c":[]}}"#,
            ),
            ("{}", Kind::Object, "{}"),
        ];
        for (source, kind, expected) in cases {
            assert_eq!(json(source), Ok((kind, expected.to_owned())), "{source}");
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for source in [
            "Draft",
            "1 + 1",
            "-\"a\"",
            "'c'",
            "{ a = 1 }",
            "{ \"a\" }",
            "[1,,2]",
            "b\"x\"",
        ] {
            assert!(json(source).is_err(), "{source}");
        }
    }
}
