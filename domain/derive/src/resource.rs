//! `#[derive(Resource)]`: the options of the struct, and the implementation as a whole.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields};

use crate::field::{self, Field};
use crate::names::{self, STAMPS};
use crate::options::{Errors, Form, Opt, Options, split_at_commas};
use crate::suggestion::hint;
use crate::{crate_path, docs, rule};

const KNOWN: &[&str] = &[
    "name",
    "path",
    "table",
    "description",
    "page",
    "access",
    "aggregates",
    "allow_rollback",
    "require_if_match",
    "unique",
    "audit",
    "crate",
];

/// The implementation for `input`.
///
/// # Errors
/// Everything wrong with it.
pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let declared = named_fields(input)?;
    let mut errors = Errors::default();
    if !input.generics.params.is_empty() {
        errors.push(syn::Error::new_spanned(
            &input.generics,
            "a resource cannot be generic: it is one table",
        ));
    }
    let options = Options::of_attributes(&input.attrs, "resource", KNOWN, &mut errors);
    let krate = options.iter().find(|option| option.name == "crate");
    let domain = crate_path::of(krate, &mut errors);
    let fields: Vec<Field> = declared
        .iter()
        .filter_map(|field| Field::read(field, &domain, &mut errors))
        .collect();
    names::check_fields(&fields, &mut errors);
    let name = names::of_resource(input, &options, &mut errors);
    let mut setters = TokenStream::new();
    if !options.iter().any(|option| option.name == "description")
        && let Some(text) = docs::description(&input.attrs)
    {
        setters.extend(
            quote!(spec.description = ::core::option::Option::Some(::std::string::String::from(#text));),
        );
    }
    for option in &options {
        setters.extend(setter(option, &fields, &domain, &mut errors));
    }
    errors.finish()?;
    Ok(implementation(input, &domain, &name, &setters, &fields))
}

fn named_fields(
    input: &DeriveInput,
) -> syn::Result<&syn::punctuated::Punctuated<syn::Field, syn::Token![,]>> {
    let message = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Ok(&fields.named),
            Fields::Unnamed(_) => "a resource's fields need names: `struct Book { title: String }`",
            Fields::Unit => "a resource needs fields: `struct Book { title: String }`",
        },
        Data::Enum(_) => {
            "a resource is a struct; `#[derive(ResourceEnum)]` makes an enum the type of a field"
        }
        Data::Union(_) => "a resource is a struct",
    };
    Err(syn::Error::new_spanned(&input.ident, message))
}

/// The statements that set one option on a variable `spec`.
fn setter(option: &Opt, fields: &[Field], domain: &TokenStream, errors: &mut Errors) -> TokenStream {
    let spec = quote!(#domain::definition::spec);
    match option.key().as_str() {
        "crate" => TokenStream::new(),
        "name" => {
            errors.take(option.string());
            TokenStream::new()
        }
        "page" => page(option, errors),
        "access" => access(option, &spec, errors),
        "audit" => audit(option, &spec, errors),
        "unique" => {
            let sets = errors.take(unique(option, fields)).unwrap_or_default();
            quote!(spec.unique = ::std::vec![#(::std::vec![#(::std::string::String::from(#sets)),*]),*];)
        }
        "aggregates" | "allow_rollback" | "require_if_match" => {
            let name = &option.name;
            let flag = errors.take(option.flag()).unwrap_or_default();
            quote!(spec.#name = #flag;)
        }
        _ => {
            let name = &option.name;
            let text = errors.take(option.string());
            quote!(spec.#name = ::core::option::Option::Some(::std::string::String::from(#text));)
        }
    }
}

fn page(option: &Opt, errors: &mut Errors) -> TokenStream {
    let mut setters = TokenStream::new();
    for limit in option.options(&["default", "max"], errors) {
        let name = format_ident!("page_{}", limit.name);
        let rows = errors.take(limit.number::<u32>());
        setters.extend(quote!(spec.#name = ::core::option::Option::Some(#rows);));
    }
    setters
}

fn access(option: &Opt, spec: &TokenStream, errors: &mut Errors) -> TokenStream {
    let mut setters = TokenStream::new();
    for operation in option.options(&["read", "create", "update", "delete"], errors) {
        let name = &operation.name;
        let rule = operation
            .value("\"authenticated\"")
            .and_then(|tokens| rule::expand(tokens, spec));
        let rule = errors.take(rule);
        setters.extend(quote!(spec.access.#name = ::core::option::Option::Some(#rule);));
    }
    setters
}

fn audit(option: &Opt, spec: &TokenStream, errors: &mut Errors) -> TokenStream {
    let known: Vec<&str> = STAMPS.iter().copied().chain(["actor"]).collect();
    let mut setters = TokenStream::new();
    for stamp in option.options(&known, errors) {
        let name = &stamp.name;
        let value = match stamp.key().as_str() {
            "uid" => stamp
                .string()
                .map(|column| quote!(::core::option::Option::Some(::std::string::String::from(#column)))),
            "actor" => stamp.word(&["text", "uuid"]).map(|word| {
                let variant = if word == "uuid" {
                    quote!(Uuid)
                } else {
                    quote!(Text)
                };
                quote!(#spec::ActorType::#variant)
            }),
            _ => audit_column(&stamp, spec),
        };
        let value = errors.take(value);
        setters.extend(quote!(spec.audit.#name = #value;));
    }
    setters
}

fn audit_column(stamp: &Opt, spec: &TokenStream) -> syn::Result<TokenStream> {
    if let Ok(column) = stamp.string() {
        return Ok(quote!(#spec::AuditColumn::Named(::std::string::String::from(#column))));
    }
    match (&stamp.form, stamp.flag()) {
        (Form::Value(_), Ok(true)) => Ok(quote!(#spec::AuditColumn::Standard)),
        (Form::Value(_), Ok(false)) => Ok(quote!(#spec::AuditColumn::Absent)),
        _ => Err(stamp.error(format!(
            "expected the column's name, as in `{0} = \"…\"`, or `{0} = false` where there is none",
            stamp.name
        ))),
    }
}

/// `unique(["a", "b"], …)` or `unique = [["a", "b"], …]`
fn unique(option: &Opt, fields: &[Field]) -> syn::Result<Vec<Vec<String>>> {
    let expected = || option.error("expected lists of field names, as in `unique([\"a\", \"b\"])`");
    let tokens = match &option.form {
        Form::Flag => return Err(expected()),
        Form::List(group) => group.stream(),
        Form::Value(tokens) => match syn::parse2::<proc_macro2::Group>(tokens.clone()) {
            Ok(group) if group.delimiter() == proc_macro2::Delimiter::Bracket => group.stream(),
            _ => return Err(expected()),
        },
    };
    let mut errors = Errors::default();
    let mut sets = Vec::new();
    for piece in split_at_commas(tokens) {
        let names = field::string_list(&piece.into_iter().collect()).ok_or_else(expected)?;
        let known: Vec<&str> = fields
            .iter()
            .map(|field| field.name.as_str())
            .chain(STAMPS)
            .collect();
        for name in &names {
            if !known.contains(&name.value().as_str()) {
                let hint = hint(&name.value(), &known);
                errors.push(syn::Error::new(
                    name.span(),
                    format!("there is no field `{}`{hint}", name.value()),
                ));
            }
        }
        sets.push(names.iter().map(syn::LitStr::value).collect::<Vec<_>>());
    }
    errors.finish()?;
    if sets.is_empty() || sets.iter().any(Vec::is_empty) {
        Err(expected())
    } else {
        Ok(sets)
    }
}

fn implementation(
    input: &DeriveInput,
    domain: &TokenStream,
    name: &str,
    setters: &TokenStream,
    fields: &[Field],
) -> TokenStream {
    let ident = &input.ident;
    let names = fields.iter().map(|field| &field.name);
    let specs = fields.iter().map(|field| field.spec(domain));
    // The types are named, so that an error about one points at it.
    let reads = fields.iter().map(|field| {
        let Field { ident, ty, name, .. } = field;
        quote!(#ident: #domain::resource::read_field::<#ty>(record, #name)?)
    });
    let writes = fields.iter().map(|field| {
        let Field { ident, ty, name, .. } = field;
        quote!(#domain::resource::write_field::<#ty>(record, #name, self.#ident)?;)
    });
    quote! {
        #[automatically_derived]
        impl #domain::resource::Resource for #ident {
            const NAME: &'static str = #name;
            const FIELDS: &'static [&'static str] = &[#(#names),*];

            fn spec() -> #domain::definition::spec::ResourceSpec {
                let mut spec = #domain::definition::spec::ResourceSpec::default();
                spec.name = ::std::string::String::from(#name);
                spec.fields = ::std::vec![#(#specs),*];
                #setters
                spec
            }

            fn from_record(
                record: &#domain::record::Record,
            ) -> ::core::result::Result<Self, #domain::resource::RecordError> {
                ::core::result::Result::Ok(Self { #(#reads),* })
            }

            fn write_to(
                self,
                record: &mut #domain::record::Record,
            ) -> ::core::result::Result<(), #domain::resource::RecordError> {
                #(#writes)*
                ::core::result::Result::Ok(())
            }
        }
    }
}
