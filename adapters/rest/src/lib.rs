//! Controller, resource mapper, problem bodies and OpenAPI of Rowstamp.
