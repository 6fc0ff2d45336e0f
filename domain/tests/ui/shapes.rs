use rowstamp_domain::{Resource, ResourceEnum};

#[derive(Resource)]
#[resource(path = "books")]
enum Enumeration {
    A,
}

#[derive(Resource)]
#[resource(path = "books")]
struct Tuple(String);

#[derive(Resource)]
#[resource(path = "books")]
struct Unit;

#[derive(Resource)]
#[resource(path = "books")]
union Union {
    a: i32,
}

#[derive(Resource)]
#[resource(path = "books")]
struct Generic<T> {
    a: T,
}

#[derive(Resource)]
#[resource(path = "books")]
struct Borrowed<'a> {
    a: &'a str,
}

#[derive(ResourceEnum)]
struct NoEnum {
    a: i32,
}

fn main() {}
