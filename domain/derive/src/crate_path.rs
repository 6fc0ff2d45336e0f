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
    for (package, module) in HOMES {
        let name = match crate_name(package) {
            Ok(FoundCrate::Name(name)) => name,
            // Examples and tests of the package know it by its name; its own library needs `extern crate self as …`.
            Ok(FoundCrate::Itself) => package.replace('-', "_"),
            Err(_) => continue,
        };
        let name = Ident::new(&name, Span::call_site());
        let module = module
            .map(|module| Ident::new(module, Span::call_site()))
            .into_iter();
        return Ok(quote!(::#name #(::#module)*));
    }
    Err(syn::Error::new(
        Span::call_site(),
        "cannot find `rowstamp-domain`, `rowstamp-lambda` or `rowstamp-local` among the dependencies; add one, or say where it is with `crate = …`",
    ))
}
