//! `#[derive(ResourceEnum)]`: an enum without fields as the type of an `enum` field.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields};

use crate::crate_path;
use crate::names::snake_case;
use crate::options::{Errors, Options};

const CASES: &[&str] = &[
    "snake_case",
    "kebab-case",
    "camelCase",
    "PascalCase",
    "SCREAMING_SNAKE_CASE",
    "lowercase",
    "UPPERCASE",
];

/// The implementation for `input`.
///
/// # Errors
/// Everything wrong with it.
pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(syn::Error::new_spanned(
            &input.ident,
            "expected an enum; `#[derive(Resource)]` makes a struct a resource",
        ));
    };
    let mut errors = Errors::default();
    let options = Options::of_attributes(
        &input.attrs,
        "resource_enum",
        &["rename_all", "crate"],
        &mut errors,
    );
    let krate = options.iter().find(|option| option.name == "crate");
    let domain = crate_path::of(krate, &mut errors);
    let case = options
        .iter()
        .find(|option| option.name == "rename_all")
        .and_then(|option| errors.take(option.word(CASES)))
        .unwrap_or_else(|| CASES[0].to_owned());
    if data.variants.is_empty() {
        errors.push(syn::Error::new_spanned(
            &input.ident,
            "an enum needs a variant at least",
        ));
    }
    let mut variants = Vec::new();
    let mut values = Vec::new();
    let mut seen = HashMap::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            errors.push(syn::Error::new_spanned(
                &variant.fields,
                "a value of an enum field is one word; a variant cannot have fields",
            ));
        }
        let options = Options::of_attributes(&variant.attrs, "resource_enum", &["rename"], &mut errors);
        let value = match options.first() {
            Some(option) => errors
                .take(option.string())
                .map(|text| text.value())
                .unwrap_or_default(),
            None => recased(&variant.ident.to_string(), &case),
        };
        if let Some(other) = seen.insert(value.clone(), &variant.ident) {
            errors.push(syn::Error::new_spanned(
                variant,
                format!("\"{value}\" is the value of `{other}` already"),
            ));
        }
        variants.push(&variant.ident);
        values.push(value);
    }
    errors.finish()?;
    let ident = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #generics #domain::resource::ScalarValue for #ident #arguments #bounds {
            const TYPE: #domain::field_type::ScalarType = #domain::field_type::ScalarType::Enum;
            const VALUES: &'static [&'static str] = &[#(#values),*];

            fn from_value(
                value: &#domain::value::Value,
            ) -> ::core::result::Result<Self, #domain::resource::FieldError> {
                match #domain::resource::enum_text(value)? {
                    #(#values => ::core::result::Result::Ok(Self::#variants),)*
                    other => ::core::result::Result::Err(#domain::resource::FieldError::unknown(other, <Self as #domain::resource::ScalarValue>::VALUES)),
                }
            }

            fn into_value(self) -> ::core::result::Result<#domain::value::Value, #domain::resource::FieldError> {
                ::core::result::Result::Ok(#domain::value::Value::Text(::std::string::String::from(match self {
                    #(Self::#variants => #values,)*
                })))
            }
        }
    })
}

fn recased(variant: &str, case: &str) -> String {
    let snake = snake_case(variant);
    match case {
        "kebab-case" => snake.replace('_', "-"),
        "SCREAMING_SNAKE_CASE" => snake.to_uppercase(),
        "lowercase" => variant.to_lowercase(),
        "UPPERCASE" => variant.to_uppercase(),
        "PascalCase" => variant.to_owned(),
        "camelCase" => {
            let mut characters = variant.chars();
            characters
                .next()
                .map(|first| first.to_lowercase().chain(characters).collect())
                .unwrap_or_default()
        }
        _ => snake,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_written_in_the_case_asked_for() {
        let cases = [
            ("snake_case", "in_print"),
            ("kebab-case", "in-print"),
            ("camelCase", "inPrint"),
            ("PascalCase", "InPrint"),
            ("SCREAMING_SNAKE_CASE", "IN_PRINT"),
            ("lowercase", "inprint"),
            ("UPPERCASE", "INPRINT"),
        ];
        assert_eq!(cases.map(|(case, _)| case), CASES);
        for (case, expected) in cases {
            assert_eq!(recased("InPrint", case), expected);
        }
        for (name, expected) in [
            ("Book", "book"),
            ("HTTPServer", "http_server"),
            ("Isbn13", "isbn13"),
            ("a_b", "a_b"),
        ] {
            assert_eq!(snake_case(name), expected);
        }
    }
}
