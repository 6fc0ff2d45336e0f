//! Finds `rowstamp_domain` through whichever crate the user depends on.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Ident, Path};

use crate::options::{Errors, Opt};

/// The crates that have the domain: as themselves, or as a module.
const HOMES: [(&str, Option<&str>); 3] = [
    ("rowstamp-domain", None),
    ("rowstamp-lambda", Some("domain")),
    ("rowstamp-local", Some("domain")),
];

/// The path given by a `crate = …` option, else the one found among the dependencies.
pub(crate) fn of(option: Option<&Opt>, errors: &mut Errors) -> TokenStream {
    let path = match option {
        Some(option) => given(option),
        None => found(),
    };
    // The expansion is thrown away when there are errors, so that any path does for them.
    errors.take(path).unwrap_or_else(|| quote!(::rowstamp_domain))
}

fn given(option: &Opt) -> syn::Result<TokenStream> {
    let tokens = option.value("rowstamp_domain")?;
    let path: Path = syn::parse2(tokens.clone())
        .or_else(|_| option.string().and_then(|text| text.parse()))
        .map_err(|_| option.error("expected a path, as in `crate = rowstamp_domain`"))?;
    Ok(quote!(#path))
}

fn found() -> syn::Result<TokenStream> {
    home(|package| crate_name(package).ok()).ok_or_else(|| {
        syn::Error::new(
            Span::call_site(),
            "cannot find `rowstamp-domain`, `rowstamp-lambda` or `rowstamp-local` among the dependencies; add one, or say where it is with `crate = …`",
        )
    })
}

fn home(look_up: impl Fn(&str) -> Option<FoundCrate>) -> Option<TokenStream> {
    HOMES.into_iter().find_map(|(package, module)| {
        let name = match look_up(package)? {
            FoundCrate::Name(name) => name,
            // Examples and tests of the package know it by its name; its own library needs `extern crate self as …`.
            FoundCrate::Itself => package.replace('-', "_"),
        };
        let name = Ident::new(&name, Span::call_site());
        let module = module
            .map(|module| Ident::new(module, Span::call_site()))
            .into_iter();
        Some(quote!(::#name #(::#module)*))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Case<'a> = (&'a [(&'a str, FoundCrate)], Option<&'a str>);

    #[test]
    fn the_domain_is_found_through_whichever_crate_is_there() {
        let named = |name: &str| FoundCrate::Name(name.to_owned());
        let cases: [Case; 6] = [
            (&[], None),
            (
                &[("rowstamp-domain", named("rowstamp_domain"))],
                Some(":: rowstamp_domain"),
            ),
            (
                &[("rowstamp-lambda", named("renamed"))],
                Some(":: renamed :: domain"),
            ),
            (
                &[("rowstamp-local", FoundCrate::Itself)],
                Some(":: rowstamp_local :: domain"),
            ),
            (
                &[("rowstamp-domain", FoundCrate::Itself)],
                Some(":: rowstamp_domain"),
            ),
            (
                &[
                    ("rowstamp-local", named("rowstamp_local")),
                    ("rowstamp-domain", named("domain")),
                ],
                Some(":: domain"),
            ),
        ];
        for (dependencies, expected) in cases {
            let path = home(|package| {
                dependencies
                    .iter()
                    .find(|(name, _)| *name == package)
                    .map(|(_, found)| found.clone())
            });
            assert_eq!(path.map(|path| path.to_string()).as_deref(), expected);
        }
    }
}
