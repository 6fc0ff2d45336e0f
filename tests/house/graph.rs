//! The crates and their dependencies, as cargo tells them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// For what a crate depends on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Build,
    Dev,
}

struct Package {
    name: String,
    manifest: PathBuf,
    depends_on: Vec<(String, Vec<Kind>)>,
}

/// The workspace with every crate it builds, all features on.
pub(crate) struct Workspace {
    root: PathBuf,
    members: BTreeMap<String, String>,
    packages: BTreeMap<String, Package>,
}

impl Workspace {
    pub(crate) fn load() -> Self {
        let text = cargo(&["metadata", "--format-version", "1", "--locked", "--all-features"]);
        let metadata: Value = serde_json::from_str(&text).unwrap();
        let mut packages: BTreeMap<String, Package> = metadata["packages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|package| {
                let read = Package {
                    name: text_of(&package["name"]),
                    manifest: PathBuf::from(text_of(&package["manifest_path"])),
                    depends_on: Vec::new(),
                };
                (text_of(&package["id"]), read)
            })
            .collect();
        for node in metadata["resolve"]["nodes"].as_array().unwrap() {
            let depends_on = node["deps"].as_array().unwrap().iter().map(|dependency| {
                let kinds = dependency["dep_kinds"].as_array().unwrap().iter();
                let kinds = kinds.map(|kind| match kind["kind"].as_str() {
                    Some("dev") => Kind::Dev,
                    Some("build") => Kind::Build,
                    _ => Kind::Normal,
                });
                (text_of(&dependency["pkg"]), kinds.collect())
            });
            packages.get_mut(node["id"].as_str().unwrap()).unwrap().depends_on = depends_on.collect();
        }
        let members = metadata["workspace_members"].as_array().unwrap().iter();
        let members = members
            .map(|id| (packages[id.as_str().unwrap()].name.clone(), text_of(id)))
            .collect();
        let root = PathBuf::from(text_of(&metadata["workspace_root"]));
        Self {
            root,
            members,
            packages,
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The names of our own crates, sorted.
    pub(crate) fn members(&self) -> Vec<&str> {
        self.members.keys().map(String::as_str).collect()
    }

    pub(crate) fn is_member(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    pub(crate) fn manifests(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.members
            .iter()
            .map(|(name, id)| (name.as_str(), self.packages[id].manifest.as_path()))
    }

    /// The names of the crates that `member` itself depends on for one of `kinds`.
    pub(crate) fn direct(&self, member: &str, kinds: &[Kind]) -> Vec<&str> {
        self.steps(&self.members[member], kinds)
            .map(|id| self.packages[id].name.as_str())
            .collect()
    }

    /// A shortest path of names from `member` to each crate that it reaches by dependencies of `kinds`.
    pub(crate) fn paths_from<'a>(&'a self, member: &'a str, kinds: &[Kind]) -> Vec<Vec<&'a str>> {
        let start = self.members[member].as_str();
        let mut seen = BTreeSet::from([start]);
        let mut queue = VecDeque::from([(start, vec![member])]);
        let mut paths = Vec::new();
        while let Some((at, path)) = queue.pop_front() {
            for next in self.steps(at, kinds) {
                if seen.insert(next) {
                    let mut longer = path.clone();
                    longer.push(&self.packages[next].name);
                    paths.push(longer.clone());
                    queue.push_back((next, longer));
                }
            }
        }
        paths
    }

    fn steps(&self, id: &str, kinds: &[Kind]) -> impl Iterator<Item = &str> {
        self.packages[id]
            .depends_on
            .iter()
            .filter(move |(_, theirs)| theirs.iter().any(|kind| kinds.contains(kind)))
            .map(|(id, _)| id.as_str())
    }
}

/// The crates that building `member` with its default features compiles, on any platform.
pub(crate) fn default_tree(member: &str) -> Vec<String> {
    let arguments = [
        "tree",
        "--locked",
        "-p",
        member,
        "-e",
        "normal,build",
        "--target",
        "all",
        "--prefix",
        "none",
    ];
    let names = cargo(&arguments);
    let names = names.lines().filter_map(|line| line.split_whitespace().next());
    names
        .map(str::to_owned)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cargo {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
