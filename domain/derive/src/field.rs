//! One field of a struct: its options, checked against its type as written, and the specification they make.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::{Ident, Path, Type};

use crate::literal::Literal;
use crate::options::{Errors, Form, Opt, Options};
use crate::rust_type::RustType;
use crate::{docs, fit, rule};

const KNOWN: &[&str] = &[
    "name",
    "column",
    "required",
    "default",
    "min",
    "max",
    "min_length",
    "max_length",
    "pattern",
    "values",
    "precision",
    "scale",
    "unique",
    "references",
    "on_delete",
    "immutable",
    "read_only",
    "write_only",
    "read",
    "write",
    "json",
    "db_type",
    "description",
    "example",
];

/// A field, ready to be written out.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// Its name in JSON.
    pub(crate) name: String,
    pub(crate) name_span: Span,
    /// Statements that set the options on a variable `field`.
    pub(crate) options: TokenStream,
    /// Whether it has `values`, which makes text an enum.
    pub(crate) has_values: bool,
}

impl Field {
    /// Reads a field; what is wrong with it goes to `errors`.
    pub(crate) fn read(field: &syn::Field, domain: &TokenStream, errors: &mut Errors) -> Option<Self> {
        let ident = field.ident.clone()?;
        let options = Options::of_attributes(&field.attrs, "field", KNOWN, errors);
        let rust = errors.take(RustType::read(&field.ty));

        let mut name = ident.unraw().to_string();
        let mut name_span = ident.span();
        if let Some(given) = fit::find(&options, "name").and_then(|option| errors.take(option.string())) {
            name = given.value();
            name_span = given.span();
        }
        let mut setters = TokenStream::new();
        if fit::find(&options, "description").is_none()
            && let Some(text) = docs::description(&field.attrs)
        {
            setters.extend(
                quote!(field.description = ::core::option::Option::Some(::std::string::String::from(#text));),
            );
        }
        for option in &options {
            if let Some(rust) = &rust
                && let Err(error) = fit::check_kind(option, rust)
            {
                errors.push(error);
                continue;
            }
            setters.extend(errors.take(setter(option, rust.as_ref(), domain)));
        }
        fit::check_together(&options, rust.as_ref(), errors);
        Some(Self {
            ident,
            ty: field.ty.clone(),
            name,
            name_span,
            options: setters,
            has_values: fit::find(&options, "values").is_some(),
        })
    }

    /// An expression of type `FieldSpec`.
    pub(crate) fn spec(&self, domain: &TokenStream) -> TokenStream {
        let Self {
            ty, name, options, ..
        } = self;
        let value = quote!(<#ty as #domain::resource::FieldValue>);
        let values = if self.has_values {
            quote!(field.ty.scalar = #domain::field_type::ScalarType::Enum;)
        } else {
            quote!(field.values = #value::VALUES.iter().copied().map(::std::string::String::from).collect();)
        };
        quote!({
            let mut field = #domain::definition::spec::FieldSpec::new(#name, #value::TYPE);
            field.required = #value::REQUIRED;
            #values
            #options
            field
        })
    }
}

/// The statement that sets one option on `field`.
fn setter(option: &Opt, rust: Option<&RustType>, domain: &TokenStream) -> syn::Result<TokenStream> {
    let name = &option.name;
    let some = |value: TokenStream| quote!(field.#name = ::core::option::Option::Some(#value););
    Ok(match option.key().as_str() {
        "name" => TokenStream::new(),
        "required" => {
            fit::check_required(option, rust)?;
            TokenStream::new()
        }
        "default" => default(option, rust, domain)?,
        "min" | "max" => {
            let literal = literal(option, rust, true)?;
            some(literal_spec(&literal, domain))
        }
        "example" => {
            let literal = literal(option, rust, false)?;
            some(literal_spec(&literal, domain))
        }
        "min_length" | "max_length" => {
            let length = option.number::<u32>()?;
            some(quote!(#length))
        }
        "precision" | "scale" => {
            let digits = option.number::<u16>()?;
            some(quote!(#digits))
        }
        "unique" | "immutable" | "read_only" | "write_only" => {
            let flag = option.flag()?;
            quote!(field.#name = #flag;)
        }
        "values" => {
            let values = values(option)?;
            quote!(field.values = ::std::vec![#(::std::string::String::from(#values)),*];)
        }
        "references" => some(references(option, domain)?),
        "on_delete" => {
            let variant = match option.word(&["restrict", "cascade", "set_null"])?.as_str() {
                "cascade" => quote!(Cascade),
                "set_null" => quote!(SetNull),
                _ => quote!(Restrict),
            };
            some(quote!(#domain::definition::OnDelete::#variant))
        }
        "read" | "write" => {
            let spec = quote!(#domain::definition::spec);
            some(rule::expand(option.value("\"group:…\"")?, &spec)?)
        }
        "json" => {
            option.word(&["string"])?;
            quote!(field.json = #domain::definition::JsonEncoding::String;)
        }
        _ => {
            let text = option.string()?;
            some(quote!(::std::string::String::from(#text)))
        }
    })
}

fn default(option: &Opt, rust: Option<&RustType>, domain: &TokenStream) -> syn::Result<TokenStream> {
    let spec = quote!(#domain::definition::spec::DefaultSpec);
    if let Form::List(group) = &option.form {
        return if group.stream().to_string() == "database" {
            Ok(quote!(field.default = #spec::Database;))
        } else {
            Err(option.error("expected `default = …`, or `default(database)` to leave it to the column"))
        };
    }
    let literal = literal_spec(&literal(option, rust, false)?, domain);
    Ok(quote!(field.default = #spec::Literal(#literal);))
}

fn literal_spec(literal: &Literal, domain: &TokenStream) -> TokenStream {
    let json = &literal.json;
    quote!(#domain::definition::spec::Literal(::std::string::String::from(#json)))
}

/// The option's value, which must suit the type; `element` for a bound, which applies to each element of a list.
fn literal(option: &Opt, rust: Option<&RustType>, element: bool) -> syn::Result<Literal> {
    let literal = Literal::read(option.value("…")?)?;
    if let Some(rust) = rust
        && let Some(expected) = fit::misfit(&literal, rust, element)
    {
        let name = &option.name;
        return Err(syn::Error::new(
            literal.span,
            format!("expected {expected} for `{name}`"),
        ));
    }
    Ok(literal)
}

fn values(option: &Opt) -> syn::Result<Vec<String>> {
    let expected = || option.error("expected a list of strings, as in `values = [\"draft\", \"published\"]`");
    let values = string_list(option.value("[\"…\", \"…\"]")?).ok_or_else(expected)?;
    if values.is_empty() {
        Err(expected())
    } else {
        Ok(values.into_iter().map(|value| value.value()).collect())
    }
}

/// `["a", "b"]`
pub(crate) fn string_list(tokens: &TokenStream) -> Option<Vec<syn::LitStr>> {
    let group: proc_macro2::Group = syn::parse2(tokens.clone()).ok()?;
    if group.delimiter() != proc_macro2::Delimiter::Bracket {
        return None;
    }
    crate::options::split_at_commas(group.stream())
        .into_iter()
        .map(|piece| syn::parse2(piece.into_iter().collect()).ok())
        .collect()
}

/// `references = Author` asks the type for its name; `references = "authors"` is the name.
fn references(option: &Opt, domain: &TokenStream) -> syn::Result<TokenStream> {
    let tokens = option.value("Author")?;
    if let Ok(name) = option.string() {
        return Ok(quote!(::std::string::String::from(#name)));
    }
    let path: Path = syn::parse2(tokens.clone())
        .map_err(|_| option.error("expected a resource: a type, as in `references = Author`, or a name, as in `references = \"authors\"`"))?;
    let resource = quote!(<#path as #domain::resource::Resource>);
    Ok(quote!(::std::string::String::from(#resource::NAME)))
}
