//! The contract as an OpenAPI 3.1 document, generated from the definitions.

use std::sync::Arc;

use bytes::Bytes;
use rowstamp_domain::definition::ApiDefinition;

/// The document, once for each base path it is asked under.
pub(crate) struct Documents {
    api: Arc<ApiDefinition>,
}

impl Documents {
    pub(crate) const fn new(api: Arc<ApiDefinition>) -> Self {
        Self { api }
    }

    pub(crate) fn under(&self, _base_path: &str) -> Bytes {
        Bytes::from(serde_json::json!({"openapi": "3.1.0", "info": {"title": self.api.title, "version": self.api.version}, "paths": {}}).to_string())
    }
}
