//! Full-text search with the configuration `simple`: words in lower case, none of them left out.
//!
//! Words are what PostgreSQL's parser makes of letters and digits with anything else between; it knows addresses, paths, numbers with
//! a point and words with hyphens too, which are taken apart here.

use rowstamp_domain::query::{SearchConfig, SearchKind};
use rowstamp_domain::value::Value;
use rowstamp_ports::{QueryFault, StoreError};

use crate::condition::Truth;
use crate::json::Tree;

/// Whether the words are found in a text, or in the texts of a JSON value.
///
/// # Errors
/// `InvalidQuery` where the words of `fts` follow no syntax; `Internal` for every configuration but `simple`, whose dictionaries only
/// PostgreSQL has.
pub(crate) fn found(
    value: &Value,
    kind: SearchKind,
    config: Option<SearchConfig>,
    words: &str,
) -> Result<Truth, StoreError> {
    if config.map(SearchConfig::name) != Some("simple") {
        tracing::error!(
            config = config.map_or("(the database's default)", SearchConfig::name),
            "full-text search in memory knows the configuration `simple` alone"
        );
        return Err(StoreError::Internal);
    }
    let document = match value {
        Value::Text(text) => words_of(text),
        Value::Json(json) => {
            let tree = Tree::read(json);
            // A gap between texts: no phrase goes from one to the next.
            let texts = tree.texts();
            let texts: Vec<Vec<String>> = texts.into_iter().map(words_of).collect();
            texts.join(&String::new())
        }
        _ => return Ok(None),
    };
    let query = match kind {
        SearchKind::Plain => joined(words_of(words), Query::And),
        SearchKind::Phrase => phrase(words),
        SearchKind::Web => web(words),
        SearchKind::Query => Syntax::read(words)?,
    };
    // Where nothing is asked for, nothing is found.
    Ok(Some(query.is_some_and(|query| query.is_found(&document))))
}

/// The words of a text in order.
fn words_of(text: &str) -> Vec<String> {
    // Without a locale, whatever is not ASCII is a letter.
    text.split(|character: char| character.is_ascii() && !character.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}

#[derive(Debug, Clone)]
enum Query {
    Word {
        word: String,
        prefix: bool,
    },
    Not(Box<Query>),
    And(Box<Query>, Box<Query>),
    Or(Box<Query>, Box<Query>),
    /// The second comes so many words after the first.
    Follows(Box<Query>, usize, Box<Query>),
}

impl Query {
    fn is_found(&self, document: &[String]) -> bool {
        match self {
            Self::Word { .. } | Self::Follows(..) => !self.ends(document).is_empty(),
            Self::Not(query) => !query.is_found(document),
            Self::And(left, right) => left.is_found(document) && right.is_found(document),
            Self::Or(left, right) => left.is_found(document) || right.is_found(document),
        }
    }

    /// Where in the document a match ends; `!` and `&` within a phrase mean the same place.
    fn ends(&self, document: &[String]) -> Vec<usize> {
        (0..document.len())
            .filter(|at| self.ends_at(document, *at))
            .collect()
    }

    fn ends_at(&self, document: &[String], at: usize) -> bool {
        match self {
            Self::Word { word, prefix } => {
                document[at] == *word || (*prefix && document[at].starts_with(word.as_str()))
            }
            Self::Not(query) => !query.ends_at(document, at),
            Self::And(left, right) => left.ends_at(document, at) && right.ends_at(document, at),
            Self::Or(left, right) => left.ends_at(document, at) || right.ends_at(document, at),
            Self::Follows(left, distance, right) => {
                right.ends_at(document, at)
                    && at
                        .checked_sub(*distance)
                        .is_some_and(|before| left.ends_at(document, before))
            }
        }
    }
}

fn joined(words: Vec<String>, join: impl Fn(Box<Query>, Box<Query>) -> Query) -> Option<Query> {
    words
        .into_iter()
        .map(|word| Query::Word { word, prefix: false })
        .reduce(|left, right| join(Box::new(left), Box::new(right)))
}

fn phrase(words: &str) -> Option<Query> {
    joined(words_of(words), |left, right| Query::Follows(left, 1, right))
}

/// Quoted phrases, `or` between alternatives, `-` before what must not be there; whatever else is typed does no harm.
fn web(text: &str) -> Option<Query> {
    let mut alternatives: Vec<Option<Query>> = vec![None];
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            break;
        }
        let negated = rest.starts_with('-');
        let from = rest.trim_start_matches('-');
        let (part, following) = if let Some(quoted) = from.strip_prefix('"') {
            let (words, following) = quoted.split_once('"').unwrap_or((quoted, ""));
            (phrase(words), following)
        } else {
            let is_end = |character: char| character.is_whitespace() || character == '"';
            let (word, following) = from.split_at(from.find(is_end).unwrap_or(from.len()));
            let is_between =
                alternatives.last().is_some_and(Option::is_some) && !following.trim_start().is_empty();
            if word.eq_ignore_ascii_case("or") && !negated && is_between {
                alternatives.push(None);
                rest = following;
                continue;
            }
            (phrase(word), following)
        };
        rest = following;
        let Some(part) = part else { continue };
        let part = if negated { Query::Not(Box::new(part)) } else { part };
        if let Some(last) = alternatives.last_mut() {
            *last = Some(match last.take() {
                Some(before) => Query::And(Box::new(before), Box::new(part)),
                None => part,
            });
        }
    }
    alternatives
        .into_iter()
        .flatten()
        .reduce(|left, right| Query::Or(Box::new(left), Box::new(right)))
}

/// Reads what `to_tsquery` reads: `&`, `|`, `!`, `<->`, `<2>`, brackets, quoted words, `:*`.
struct Syntax<'a> {
    rest: &'a str,
}

impl Syntax<'_> {
    fn read(text: &str) -> Result<Option<Query>, StoreError> {
        let mut syntax = Syntax { rest: text.trim() };
        if syntax.rest.is_empty() {
            return Ok(None);
        }
        let query = syntax.or()?;
        if syntax.rest.is_empty() {
            Ok(query)
        } else {
            Err(fault())
        }
    }

    fn take(&mut self, sign: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn or(&mut self) -> Result<Option<Query>, StoreError> {
        let mut query = self.and()?;
        while self.take("|") {
            let next = self.and()?;
            query = both(query, next, Query::Or);
        }
        Ok(query)
    }

    fn and(&mut self) -> Result<Option<Query>, StoreError> {
        let mut query = self.follows()?;
        while self.take("&") {
            let next = self.follows()?;
            query = both(query, next, Query::And);
        }
        Ok(query)
    }

    fn follows(&mut self) -> Result<Option<Query>, StoreError> {
        let mut query = self.not()?;
        while let Some(distance) = self.distance() {
            let next = self.not()?;
            query = both(query, next, |left, right| Query::Follows(left, distance, right));
        }
        Ok(query)
    }

    fn distance(&mut self) -> Option<usize> {
        self.rest = self.rest.trim_start();
        let (inside, following) = self.rest.strip_prefix('<')?.split_once('>')?;
        let distance = if inside == "-" { 1 } else { inside.parse().ok()? };
        self.rest = following.trim_start();
        Some(distance)
    }

    fn not(&mut self) -> Result<Option<Query>, StoreError> {
        if self.take("!") {
            return Ok(self.not()?.map(|query| Query::Not(Box::new(query))));
        }
        if self.take("(") {
            let query = self.or()?;
            return if self.take(")") { Ok(query) } else { Err(fault()) };
        }
        let words = self.word()?;
        let prefix = self.prefix();
        Ok(words_of(&words)
            .into_iter()
            .map(|word| Query::Word { word, prefix })
            .reduce(|left, right| Query::Follows(Box::new(left), 1, Box::new(right))))
    }

    fn word(&mut self) -> Result<String, StoreError> {
        if let Some(quoted) = self.rest.strip_prefix('\'') {
            let (word, following) = quoted.split_once('\'').ok_or_else(fault)?;
            self.rest = following.trim_start();
            return Ok(word.to_owned());
        }
        let is_end = |character: char| character.is_whitespace() || "&|!()<:'".contains(character);
        let end = self.rest.find(is_end).unwrap_or(self.rest.len());
        let (word, following) = self.rest.split_at(end);
        if word.is_empty() {
            return Err(fault());
        }
        self.rest = following;
        Ok(word.to_owned())
    }

    /// `:*` makes a word a beginning; weights are read over, since no word has one but the last.
    fn prefix(&mut self) -> bool {
        let Some(rest) = self.rest.strip_prefix(':') else {
            self.rest = self.rest.trim_start();
            return false;
        };
        let end = rest
            .find(|character: char| !"*abcdABCD".contains(character))
            .unwrap_or(rest.len());
        let (flags, following) = rest.split_at(end);
        self.rest = following.trim_start();
        flags.contains('*')
    }
}

fn both(
    left: Option<Query>,
    right: Option<Query>,
    join: impl Fn(Box<Query>, Box<Query>) -> Query,
) -> Option<Query> {
    match (left, right) {
        (Some(left), Some(right)) => Some(join(Box::new(left), Box::new(right))),
        (left, right) => left.or(right),
    }
}

const fn fault() -> StoreError {
    StoreError::InvalidQuery(QueryFault::SearchWords)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test may panic")]

    use super::*;

    fn searched(text: &str, kind: SearchKind, words: &str) -> Result<Truth, StoreError> {
        found(
            &Value::Text(text.to_owned()),
            kind,
            SearchConfig::named("simple"),
            words,
        )
    }

    #[test]
    fn words_are_found_whatever_their_case() {
        use SearchKind::{Phrase, Plain, Query, Web};
        for (text, kind, words, expected) in [
            ("The quick brown fox", Plain, "FOX quick", true),
            ("The quick brown fox", Plain, "fox cat", false),
            ("The quick brown fox", Plain, "", false),
            ("The quick brown fox", Phrase, "quick brown", true),
            ("The quick brown fox", Phrase, "brown quick", false),
            ("The quick brown fox", Web, "\"brown fox\" -cat", true),
            ("The quick brown fox", Web, "cat or fox", true),
            ("The quick brown fox", Web, "-fox", false),
            ("The quick brown fox", Web, "fox or", false),
            ("The quick brown fox", Query, "quick & (cat | fox)", true),
            ("The quick brown fox", Query, "!cat", true),
            ("The quick brown fox", Query, "bro:*", true),
            ("The quick brown fox", Query, "bro", false),
            ("The quick brown fox", Query, "quick <-> brown", true),
            ("The quick brown fox", Query, "quick <2> fox", true),
            ("The quick brown fox", Query, "quick <-> fox", false),
            ("The quick brown fox", Query, "'brown fox'", true),
            ("Été", Plain, "été", false),
        ] {
            assert_eq!(searched(text, kind, words), Ok(Some(expected)), "{words}");
        }
        for words in ["a b", "a &", "& a", "(a", "!"] {
            let fault = StoreError::InvalidQuery(QueryFault::SearchWords);
            assert_eq!(searched("a", Query, words), Err(fault), "{words}");
        }
    }

    #[test]
    fn only_the_simple_configuration_is_known() {
        for config in [None, SearchConfig::named("english")] {
            let answer = found(&Value::Text(String::new()), SearchKind::Plain, config, "a");
            assert_eq!(answer.unwrap_err(), StoreError::Internal);
        }
    }
}
