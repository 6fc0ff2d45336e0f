//! Access rules in attributes. What the words mean is judged when the API is built.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::LitStr;

use crate::options::split_at_commas;

const EXPECTED: &str =
    "expected a rule: a string such as \"authenticated\", a list `[…]` of which any must hold, or `all(…)`";

/// The expression of a `RuleSpec` for `"…"`, `[…]`, `any(…)`, `all(…)` or `{ all = […] }`.
pub(crate) fn expand(tokens: &TokenStream, spec: &TokenStream) -> syn::Result<TokenStream> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    match &trees[..] {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Bracket => several(group, "Any", spec),
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Brace => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            match &inner[..] {
                [
                    TokenTree::Ident(all),
                    TokenTree::Punct(equals),
                    TokenTree::Group(list),
                ] if all == "all" && equals.as_char() == '=' && list.delimiter() == Delimiter::Bracket => {
                    several(list, "All", spec)
                }
                _ => Err(syn::Error::new_spanned(group, "expected `{ all = […] }`")),
            }
        }
        [TokenTree::Ident(word), TokenTree::Group(group)]
            if group.delimiter() != Delimiter::Brace && (word == "all" || word == "any") =>
        {
            several(group, if word == "all" { "All" } else { "Any" }, spec)
        }
        _ => {
            let word: LitStr =
                syn::parse2(tokens.clone()).map_err(|_| syn::Error::new_spanned(tokens, EXPECTED))?;
            if word.value().trim().is_empty() {
                return Err(syn::Error::new(
                    word.span(),
                    "a rule cannot be empty; \"nobody\" says that nobody may",
                ));
            }
            Ok(quote!(#spec::RuleSpec::One(::std::string::String::from(#word))))
        }
    }
}

fn several(group: &Group, variant: &str, spec: &TokenStream) -> syn::Result<TokenStream> {
    let mut rules = Vec::new();
    let mut errors = crate::options::Errors::default();
    for piece in split_at_commas(group.stream()) {
        rules.extend(errors.take(expand(&piece.into_iter().collect(), spec)));
    }
    errors.finish()?;
    if rules.is_empty() {
        return Err(syn::Error::new_spanned(
            group,
            "a list of rules cannot be empty; \"nobody\" says that nobody may",
        ));
    }
    let variant = syn::Ident::new(variant, group.span());
    Ok(quote!(#spec::RuleSpec::#variant(::std::vec![#(#rules),*])))
}
