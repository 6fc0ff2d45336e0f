//! What the macro can tell about a Rust type from how it is written.
//!
//! A type it does not know (an alias, an enum of the user's) is left to the compiler and to the check of the whole API.

use syn::{GenericArgument, PathArguments, Type};

/// A Rust type as written.
pub(crate) struct RustType {
    pub(crate) optional: bool,
    pub(crate) array: bool,
    pub(crate) scalar: Option<Scalar>,
}

/// The scalar types that have well-known Rust names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scalar {
    Text,
    Integer,
    BigInt,
    Float,
    Decimal,
    Boolean,
    Uuid,
    Date,
    Time,
    Timestamp,
    Json,
    Bytes,
}

impl Scalar {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::BigInt => "bigint",
            Self::Float => "float",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::Json => "json",
            Self::Bytes => "bytes",
        }
    }

    pub(crate) const fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::BigInt | Self::Float | Self::Decimal)
    }

    pub(crate) const fn is_point_in_time(self) -> bool {
        matches!(self, Self::Date | Self::Time | Self::Timestamp)
    }
}

impl RustType {
    /// Reads `ty`.
    ///
    /// # Errors
    /// A type that is certain to have no column type, with the one to use instead.
    pub(crate) fn read(ty: &Type) -> syn::Result<Self> {
        let (optional, ty) = match argument_of(ty, "Option") {
            Some(inner) => (true, inner),
            None => (false, ty),
        };
        if let Some(inner) = argument_of(ty, "Option") {
            return Err(syn::Error::new_spanned(
                inner,
                "an `Option` of an `Option`: NULL is one value, use a single `Option`",
            ));
        }
        if let Some(element) = argument_of(ty, "Vec") {
            if last_name(element).as_deref() == Some("u8") {
                return Ok(Self {
                    optional,
                    array: false,
                    scalar: Some(Scalar::Bytes),
                });
            }
            let element = argument_of(element, "Option").unwrap_or(element);
            let scalar = match argument_of(element, "Vec") {
                Some(byte) if last_name(byte).as_deref() == Some("u8") => Some(Scalar::Bytes),
                Some(_) => {
                    return Err(syn::Error::new_spanned(
                        element,
                        "a list of lists has no column type; PostgreSQL's arrays of more dimensions are read through `Record`",
                    ));
                }
                None => scalar(element)?,
            };
            return Ok(Self {
                optional,
                array: true,
                scalar,
            });
        }
        Ok(Self {
            optional,
            array: false,
            scalar: scalar(ty)?,
        })
    }

    /// The type in the words of a definition.
    pub(crate) fn describe(&self, scalar: Scalar) -> String {
        format!("{}{}", scalar.name(), if self.array { "[]" } else { "" })
    }
}

fn scalar(ty: &Type) -> syn::Result<Option<Scalar>> {
    let instead = |name: &str, instead: &str| {
        Err(syn::Error::new_spanned(
            ty,
            format!("`{name}` has no column type, use {instead}"),
        ))
    };
    let Type::Path(_) = ty else {
        return match ty {
            Type::Reference(_) => instead("&", "an owned type such as `String`"),
            Type::Array(_) | Type::Slice(_) => instead("[…]", "`Vec`"),
            Type::Tuple(_) => instead("(…)", "one field for each part"),
            _ => Ok(None),
        };
    };
    let Some(name) = last_name(ty) else {
        return Ok(None);
    };
    Ok(Some(match name.as_str() {
        "String" => Scalar::Text,
        "i32" => Scalar::Integer,
        "i64" => Scalar::BigInt,
        "f64" => Scalar::Float,
        "Decimal" => Scalar::Decimal,
        "bool" => Scalar::Boolean,
        "Uuid" => Scalar::Uuid,
        "Date" | "NaiveDate" => Scalar::Date,
        "Time" | "NaiveTime" => Scalar::Time,
        "Timestamp" | "DateTime" => Scalar::Timestamp,
        "Json" => Scalar::Json,
        "i8" | "i16" | "u8" | "u16" => return instead(&name, "`i32`"),
        "u32" => return instead(&name, "`i64`, or `i32` with `min = 0`"),
        "u64" | "usize" | "isize" | "i128" | "u128" => return instead(&name, "`i64`, or `Decimal`"),
        "f32" => return instead(&name, "`f64`"),
        "char" | "str" => return instead(&name, "`String`"),
        "NaiveDateTime" => return instead(&name, "`DateTime<Utc>` or `Timestamp`"),
        "HashMap" | "BTreeMap" => return instead(&name, "`serde_json::Value`, or a resource of its own"),
        "HashSet" | "BTreeSet" | "VecDeque" => return instead(&name, "`Vec`"),
        _ => return Ok(None),
    }))
}

/// `T` of `Wrapper<T>`.
fn argument_of<'a>(ty: &'a Type, wrapper: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == wrapper)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(inner) if arguments.args.len() == 1 => Some(inner),
        _ => None,
    }
}

fn last_name(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    path.path.segments.last().map(|last| last.ident.to_string())
}
