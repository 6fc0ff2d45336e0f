use rowstamp_domain::ResourceEnum;

#[derive(ResourceEnum)]
#[resource_enum(rename_all = "snake-case", rename = "a")]
enum Status {
    Draft,
    InPrint(i32),
    Gone { on: i32 },
    #[resource_enum(rename = "draft")]
    Sketch,
    #[resource_enum(value = "b")]
    Other,
}

#[derive(ResourceEnum)]
enum Never {}

fn main() {}
