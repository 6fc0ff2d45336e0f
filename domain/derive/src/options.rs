//! Takes an attribute's list apart into options, each with its place in the source.
//!
//! It works on tokens, so that one broken option does not hide the others. What an option's value means is for its reader.

use std::collections::HashMap;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, LitInt, LitStr, Meta};

use crate::suggestion::hint;

/// One option, such as `unique`, `min = 1` or `page(max = 500)`.
#[derive(Clone)]
pub(crate) struct Opt {
    pub(crate) name: Ident,
    pub(crate) form: Form,
}

/// What follows an option's name.
#[derive(Clone)]
pub(crate) enum Form {
    /// Nothing.
    Flag,
    /// `= …`
    Value(TokenStream),
    /// `(…)`
    List(Group),
}

impl Opt {
    /// The option's name as text.
    pub(crate) fn key(&self) -> String {
        self.name.to_string()
    }

    /// An error at the value, or at the name where there is none.
    pub(crate) fn error(&self, message: impl std::fmt::Display) -> syn::Error {
        match &self.form {
            Form::Flag => syn::Error::new(self.name.span(), message),
            Form::Value(tokens) => syn::Error::new_spanned(tokens, message),
            Form::List(group) => syn::Error::new_spanned(group, message),
        }
    }

    /// An error at the name.
    pub(crate) fn error_at_name(&self, message: impl std::fmt::Display) -> syn::Error {
        syn::Error::new(self.name.span(), message)
    }

    /// The tokens after `=`.
    pub(crate) fn value(&self, expected: &str) -> syn::Result<&TokenStream> {
        match &self.form {
            Form::Value(tokens) => Ok(tokens),
            Form::Flag | Form::List(_) => Err(self.error(format!("expected `{} = {expected}`", self.name))),
        }
    }

    /// `name = "…"`
    pub(crate) fn string(&self) -> syn::Result<LitStr> {
        syn::parse2(self.value("\"…\"")?.clone())
            .map_err(|_| self.error(format!("expected a string, as in `{} = \"…\"`", self.name)))
    }

    /// `name = 5`
    pub(crate) fn number<N>(&self) -> syn::Result<N>
    where
        N: std::str::FromStr<Err: std::fmt::Display> + std::fmt::Display,
    {
        let literal: LitInt = syn::parse2(self.value("1")?.clone())
            .map_err(|_| self.error(format!("expected a whole number, as in `{} = 1`", self.name)))?;
        literal
            .base10_digits()
            .parse()
            .map_err(|error| self.error(format!("`{literal}` does not fit: {error}")))
    }

    /// `name`, `name = true` or `name = false`
    pub(crate) fn flag(&self) -> syn::Result<bool> {
        match &self.form {
            Form::Flag => Ok(true),
            Form::Value(tokens) => syn::parse2::<syn::LitBool>(tokens.clone())
                .map(|literal| literal.value)
                .map_err(|_| self.error(format!("expected `{0}` alone, or `{0} = false`", self.name))),
            Form::List(_) => Err(self.error(format!("expected `{}` alone", self.name))),
        }
    }

    /// One of `words`, as a string.
    pub(crate) fn word(&self, words: &[&str]) -> syn::Result<String> {
        let literal = self.string()?;
        let word = literal.value();
        if words.contains(&word.as_str()) {
            Ok(word)
        } else {
            Err(syn::Error::new(
                literal.span(),
                format!("unknown `{}`: \"{word}\"{}", self.name, hint(&word, words)),
            ))
        }
    }

    /// `name(option, …)`
    pub(crate) fn options(&self, known: &[&str], errors: &mut Errors) -> Vec<Self> {
        match &self.form {
            Form::List(group) => {
                let mut options = Options::new(known, format!("`{}`", self.name));
                options.add(group.stream(), errors);
                options.list
            }
            Form::Flag | Form::Value(_) => {
                errors.push(self.error(format!("expected `{}({} = …)`", self.name, known[0])));
                Vec::new()
            }
        }
    }
}

/// Every error found so far, so that all are reported at once.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    /// Remembers an error.
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// The value, or nothing and the error remembered.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Everything remembered.
    pub(crate) fn finish(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

/// Options of one place, each known and given once.
pub(crate) struct Options<'a> {
    known: &'a [&'a str],
    place: String,
    seen: HashMap<String, Span>,
    pub(crate) list: Vec<Opt>,
}

impl<'a> Options<'a> {
    /// No options yet; `place` names the place in messages.
    pub(crate) fn new(known: &'a [&'a str], place: String) -> Self {
        Self {
            known,
            place,
            seen: HashMap::new(),
            list: Vec::new(),
        }
    }

    /// The options of every `#[name(…)]` among `attributes`.
    pub(crate) fn of_attributes(
        attributes: &[Attribute],
        name: &str,
        known: &'a [&'a str],
        errors: &mut Errors,
    ) -> Vec<Opt> {
        let mut options = Self::new(known, format!("`#[{name}(…)]`"));
        for attribute in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident(name))
        {
            match &attribute.meta {
                Meta::List(list) if matches!(list.delimiter, syn::MacroDelimiter::Paren(_)) => {
                    options.add(list.tokens.clone(), errors);
                }
                _ => errors.push(syn::Error::new_spanned(
                    attribute,
                    format!("expected `#[{name}(…)]`"),
                )),
            }
        }
        options.list
    }

    fn add(&mut self, tokens: TokenStream, errors: &mut Errors) {
        for piece in split_at_commas(tokens) {
            let Some(option) = errors.take(option(piece)) else {
                continue;
            };
            let key = option.key();
            if !self.known.contains(&key.as_str()) {
                errors.push(option.error_at_name(format!(
                    "unknown option `{key}` in {}{}",
                    self.place,
                    hint(&key, self.known)
                )));
            } else if self.seen.insert(key.clone(), option.name.span()).is_some() {
                errors.push(option.error_at_name(format!("`{key}` is given twice")));
            } else {
                self.list.push(option);
            }
        }
    }
}

/// The pieces between the commas of `tokens`; a trailing comma ends the last one.
pub(crate) fn split_at_commas(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    for token in tokens {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == ',' => {
                if piece.is_empty() {
                    piece.push(token);
                }
                pieces.push(std::mem::take(&mut piece));
            }
            _ => piece.push(token),
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

fn option(piece: Vec<TokenTree>) -> syn::Result<Opt> {
    let mut tokens = piece.into_iter();
    let name = match tokens.next() {
        Some(TokenTree::Ident(name)) => name,
        other => {
            return Err(syn::Error::new_spanned(
                other.into_token_stream(),
                "expected the name of an option",
            ));
        }
    };
    let second = tokens.next();
    let rest: TokenStream = tokens.collect();
    let form = match second {
        None => Form::Flag,
        Some(TokenTree::Punct(punct)) if punct.as_char() == '=' => {
            if rest.is_empty() {
                return Err(syn::Error::new(
                    punct.span(),
                    format!("expected a value after `{name} =`"),
                ));
            }
            return Ok(Opt {
                name,
                form: Form::Value(rest),
            });
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => Form::List(group),
        Some(other) => {
            return Err(syn::Error::new_spanned(
                other,
                format!("expected `=`, `(` or `,` after `{name}`"),
            ));
        }
    };
    if rest.is_empty() {
        Ok(Opt { name, form })
    } else {
        Err(syn::Error::new_spanned(
            rest,
            format!("expected `,` after `{name}`"),
        ))
    }
}
