//! What is served, put together: resources from structs or from TOML, and people's hooks beside them.
//!
//! Nothing is read from a file or the environment here, and nothing is served; see [`Controller`](crate::Controller).

use std::fmt;
use std::sync::Arc;

use rowstamp_domain::Resource;
use rowstamp_domain::definition::spec::ApiSpec;
use rowstamp_domain::definition::toml::{self, TomlMistakes};
use rowstamp_domain::definition::{ApiDefinition, DefinitionError};
use rowstamp_ports::Hooks;

use crate::openapi;

/// An API as it is being declared. [`build`](Self::build) checks it as a whole.
///
/// ```
/// use rowstamp_rest::Api;
///
/// let api = Api::from_toml("library.toml", "[resources.books.fields]\ntitle = { type = \"text\" }")?;
/// assert_eq!(api.build().unwrap().definition().resources[0].name, "books");
/// # Ok::<(), rowstamp_domain::definition::toml::TomlMistakes>(())
/// ```
#[must_use = "an API does nothing until it is built and served"]
pub struct Api {
    source: Source,
    hooks: Vec<(String, Arc<dyn Hooks>)>,
    mistakes: Vec<String>,
}

enum Source {
    Declared(ApiSpec),
    Read(Box<ApiDefinition>),
}

impl Api {
    /// An API without resources, under the title and version that its OpenAPI document shows.
    pub fn new(title: impl Into<String>, version: impl Into<String>) -> Self {
        let spec = ApiSpec {
            title: title.into(),
            version: version.into(),
            ..ApiSpec::default()
        };
        Self {
            source: Source::Declared(spec),
            hooks: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    /// The API that a TOML definition declares. The file's name is for messages only.
    ///
    /// # Errors
    /// Every mistake in the text, with its line.
    pub fn from_toml(file_name: &str, text: &str) -> Result<Self, TomlMistakes> {
        let definition = toml::parse(file_name, text)?;
        Ok(Self {
            source: Source::Read(Box::new(definition)),
            hooks: Vec::new(),
            mistakes: Vec::new(),
        })
    }

    /// The same API with words about it, in Markdown.
    pub fn description(mut self, words: impl Into<String>) -> Self {
        match &mut self.source {
            Source::Declared(spec) => spec.description = Some(words.into()),
            Source::Read(definition) => definition.description = Some(words.into()),
        }
        self
    }

    /// The same API with a resource declared by `#[derive(Resource)]`.
    pub fn resource<R: Resource>(mut self) -> Self {
        match &mut self.source {
            Source::Declared(spec) => spec.resources.push(R::spec()),
            Source::Read(_) => self.mistakes.push(format!(
                "{}: an API read from TOML takes no further resources; declare it there, or all of them in Rust",
                R::NAME
            )),
        }
        self
    }

    /// The same API with a resource and the hooks around its operations.
    pub fn resource_with<R: Resource>(self, hooks: impl Hooks + 'static) -> Self {
        self.resource::<R>().hooks(R::NAME, hooks)
    }

    /// The same API with hooks around the operations of the resource of this name.
    pub fn hooks(mut self, resource: impl Into<String>, hooks: impl Hooks + 'static) -> Self {
        self.hooks.push((resource.into(), Arc::new(hooks)));
        self
    }

    /// Checks everything that was declared.
    ///
    /// # Errors
    /// Every mistake.
    pub fn build(self) -> Result<BuiltApi, ApiMistakes> {
        let mut mistakes = self.mistakes;
        let definition = match self.source {
            Source::Read(definition) => Some(*definition),
            Source::Declared(spec) => match ApiDefinition::build(spec) {
                Ok(definition) => Some(definition),
                Err(errors) => {
                    mistakes.extend(errors.iter().map(DefinitionError::to_string));
                    None
                }
            },
        };
        let Some(definition) = definition else {
            return Err(ApiMistakes(mistakes));
        };
        let mut hooks: Vec<Option<Arc<dyn Hooks>>> = vec![None; definition.resources.len()];
        for (name, own) in self.hooks {
            match definition.resource(&name) {
                None => mistakes.push(format!("hooks for `{name}`: there is no such resource")),
                Some(resource) => match &mut hooks[usize::from(resource.id)] {
                    Some(_) => mistakes.push(format!("hooks for `{name}` are given twice")),
                    slot => *slot = Some(own),
                },
            }
        }
        if mistakes.is_empty() {
            Ok(BuiltApi {
                definition: Arc::new(definition),
                hooks,
            })
        } else {
            Err(ApiMistakes(mistakes))
        }
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("mistakes", &self.mistakes)
            .finish_non_exhaustive()
    }
}

/// An API whose every part was checked: definitions, and the hooks of each.
#[derive(Clone)]
pub struct BuiltApi {
    definition: Arc<ApiDefinition>,
    hooks: Vec<Option<Arc<dyn Hooks>>>,
}

impl BuiltApi {
    /// The definitions, for whoever keeps the rows.
    pub const fn definition(&self) -> &Arc<ApiDefinition> {
        &self.definition
    }

    /// The contract as an OpenAPI 3.1 document, as it is served under this base path (empty, or `/prod`).
    pub fn openapi(&self, base_path: &str) -> String {
        openapi::document(&self.definition, base_path)
    }

    /// The definitions, and for each the hooks where there are some.
    pub(crate) fn into_parts(self) -> (Arc<ApiDefinition>, Vec<Option<Arc<dyn Hooks>>>) {
        (self.definition, self.hooks)
    }
}

impl fmt::Debug for BuiltApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuiltApi")
            .field("definition", &self.definition)
            .finish_non_exhaustive()
    }
}

/// Everything that is wrong with an API; `Display` prints one mistake a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiMistakes(pub Vec<String>);

impl fmt::Display for ApiMistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ApiMistakes {}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[derive(Resource)]
    #[resource(path = "books")]
    struct Book {
        #[field(max_length = 200)]
        title: String,
    }

    #[derive(Resource)]
    #[resource(path = "authors")]
    struct Author {
        name: String,
    }

    struct Nothing;

    impl Hooks for Nothing {}

    #[test]
    fn resources_and_hooks_are_put_together_in_the_order_of_declaration() {
        let api = Api::new("Library", "1.0.0")
            .description("Books and who wrote them")
            .resource::<Author>()
            .resource_with::<Book>(Nothing)
            .build()
            .unwrap();
        let names: Vec<&str> = api
            .definition()
            .resources
            .iter()
            .map(|resource| resource.path.as_str())
            .collect();
        assert_eq!(names, ["authors", "books"]);
        let hooked: Vec<bool> = api.hooks.iter().map(Option::is_some).collect();
        assert_eq!(hooked, [false, true]);
        assert!(api.openapi("").contains("Books and who wrote them"));
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let toml = "[resources.books.fields]\ntitle = { type = \"text\" }";
        let mistakes = Api::from_toml("library.toml", toml)
            .unwrap()
            .resource::<Author>()
            .hooks("books", Nothing)
            .hooks("books", Nothing)
            .hooks("loans", Nothing)
            .build()
            .unwrap_err();
        assert_eq!(mistakes.0.len(), 3, "{mistakes}");
        assert!(
            mistakes
                .to_string()
                .contains("hooks for `loans`: there is no such resource")
        );

        let twice = Api::new("Library", "1.0.0")
            .resource::<Book>()
            .resource::<Book>()
            .build();
        assert!(twice.is_err());
    }
}
