//! Every event of the corpus to its caller: the gateways' encodings and the identity port together.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rowstamp_api_gateway::{EventSettings, map_request};
use rowstamp_cognito::CognitoIdentity;
use rowstamp_ports::IdentityProvider as _;

#[tokio::test]
async fn every_event_of_the_corpus_has_its_caller() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters/api-gateway/fixtures");
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let identity = CognitoIdentity::new();
    let mut seen = String::new();
    for file in files {
        let event = fs::read(&file).unwrap();
        let mapped = map_request(&event, "invocation", None, &EventSettings::default());
        let Ok(request) = mapped.request else { continue };
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        match identity.identify(request.evidence()).await {
            Err(refused) => writeln!(seen, "{name}: refused, {refused}").unwrap(),
            Ok(caller) => {
                writeln!(seen, "{name}: {:?} by {:?}", caller.subject(), caller.proof()).unwrap();
                if !caller.is_anonymous() {
                    writeln!(
                        seen,
                        "  groups {:?}, scopes {:?}",
                        caller.groups(),
                        caller.scopes()
                    )
                    .unwrap();
                    writeln!(seen, "  {}", serde_json::to_string(caller.claims()).unwrap()).unwrap();
                }
            }
        }
    }
    insta::assert_snapshot!(seen);
}
