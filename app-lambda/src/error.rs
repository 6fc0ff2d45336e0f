//! Why the function cannot start, in words for whoever reads its log.

use std::path::PathBuf;

use rowstamp_domain::definition::toml::TomlMistakes;
use rowstamp_ports::Problems;
use rowstamp_rest::ApiMistakes;

#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("the definition file {} cannot be read: {cause}", path.display())]
    DefinitionFile { path: PathBuf, cause: std::io::Error },
    #[error("the definition file has mistakes:\n{0}")]
    Definition(TomlMistakes),
    #[error("the API has mistakes:\n{0}")]
    Api(ApiMistakes),
    #[error("the settings have problems:\n{0}")]
    Settings(Problems),
    #[error("{0} is not set: this program runs on AWS Lambda, or against an emulator of its Runtime API")]
    NotOnLambda(&'static str),
    #[error("the Lambda Runtime API failed: {0}")]
    Runtime(String),
}

impl StartError {
    /// CloudWatch makes an entry of each line, and shows one with a failed start: so everything stands in one.
    pub(crate) fn in_one_line(&self) -> String {
        let words = self.to_string().replace(":\n", ": ").replace('\n', "; ");
        format!("rowstamp cannot start: {words}")
    }
}
