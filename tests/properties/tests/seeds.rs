//! The seeds of the fuzz targets, what is a mistake away from them, and what fuzzing has kept.
//!
//! A seed is understood, unless its name says otherwise: one that is not decoded any more would try nothing.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use properties::Input;

/// How the name of a seed begins in which something is refused.
const REFUSED: &str = "refused-";

/// The cuts and changes that are made of each seed.
const MISTAKES: usize = 40;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// Name and content of each seed of a property.
fn seeds_of(property: &str) -> Vec<(String, Vec<u8>)> {
    inputs_of("seeds", property)
}

/// The same of those in a folder.
fn inputs_of(folder: &str, property: &str) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(fuzz().join(folder).join(property)).expect("a folder of inputs");
    let paths = files.map(|file| file.expect("a file").path());
    paths
        .map(|path| (path.display().to_string(), fs::read(&path).expect("a seed")))
        .collect()
}

/// Tries a property with what is made of each of its inputs in a folder, and names all those for which it does not hold.
fn try_each(folder: &str, made: fn(&[u8]) -> Vec<Vec<u8>>) {
    let mut failed = Vec::new();
    for (name, holds) in properties::ALL {
        let inputs = inputs_of(folder, name);
        assert!(!inputs.is_empty(), "{name} has no {folder}");
        for (input, content) in inputs {
            let tried = catch_unwind(|| {
                for data in made(&content) {
                    let _ = holds(&data);
                }
            });
            failed.extend(tried.is_err().then_some(input));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn each_property_holds_for_its_seeds() {
    try_each("seeds", |content| vec![content.to_owned()]);
}

#[test]
fn each_property_holds_for_what_fuzzing_has_kept() {
    try_each("corpus", |content| vec![content.to_owned()]);
}

#[test]
fn each_seed_is_understood_unless_its_name_says_that_it_is_refused() {
    let mut others = Vec::new();
    for (name, holds) in properties::ALL {
        for (seed, content) in seeds_of(name) {
            let file = Path::new(&seed).file_name().expect("a name");
            let is_refused = file.to_string_lossy().starts_with(REFUSED);
            let became = holds(&content);
            if is_refused != (became == Input::Refused) {
                others.push((seed, became));
            }
        }
    }
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn each_property_holds_for_seeds_with_a_mistake() {
    try_each("seeds", |content| {
        let step = content.len() / MISTAKES + 1;
        let places = (0..content.len()).step_by(step);
        let mistakes = places.flat_map(|place| {
            let mut other = content.to_owned();
            other[place] ^= 0x15;
            [content[..place].to_owned(), other]
        });
        mistakes.collect()
    });
}

#[test]
fn each_folder_of_inputs_and_each_fuzz_target_has_its_property() {
    let mut known: Vec<_> = properties::ALL.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    let names = |folder: &str| {
        let files = fs::read_dir(fuzz().join(folder)).expect("a folder");
        let mut names: Vec<_> = files
            .map(|file| file.expect("a file").path())
            .map(|path| {
                path.file_stem()
                    .expect("a name")
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names("seeds"), known);
    assert_eq!(names("corpus"), known);
    assert_eq!(names("targets"), known);
}
