use std::collections::HashMap;

use rowstamp_domain::Resource;

#[derive(Resource)]
#[resource(path = "books")]
struct Book {
    small: u16,
    unsigned: u32,
    large: Option<u64>,
    single: f32,
    letter: char,
    text: &'static str,
    map: HashMap<String, String>,
    twice: Option<Option<i32>>,
    lists: Vec<Vec<i32>>,
    fixed: [i32; 3],
    pair: (i32, i32),
    local: chrono::NaiveDateTime,
    counts: Vec<u32>,
}

fn main() {}
