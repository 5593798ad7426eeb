//! The way of an older file to the version of today, over steps that no version has taken.

use redb::{Database, Error, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::damage::Place;
use super::*;
use format::{META, Unfit, Upgrade, upgrade};

/// What the steps of these tests leave behind, in the order in which they were taken.
const STEPS: TableDefinition<u64, &str> = TableDefinition::new("steps");

fn took(transaction: &WriteTransaction, step: &str) -> Result<(), Error> {
    let mut steps = transaction.open_table(STEPS)?;
    let place = steps.last()?.map_or(1, |(place, _)| place.value() + 1);
    steps.insert(place, step)?;
    Ok(())
}

fn to_two(transaction: &WriteTransaction) -> Result<(), Error> {
    took(transaction, "to 2")
}

fn to_three(transaction: &WriteTransaction) -> Result<(), Error> {
    took(transaction, "to 3")
}

fn fails(transaction: &WriteTransaction) -> Result<(), Error> {
    took(transaction, "to 3")?;
    Err(Error::Io(std::io::ErrorKind::StorageFull.into()))
}

/// The file of a journal of version 1 with three readings.
fn of_version_one(place: &Place) -> Database {
    place.open().append(reports(3, 0));
    let database = Database::create(place.file()).expect("the database");
    let transaction = database.begin_write().expect("a transaction");
    format::set_meta(&transaction, &[(format::FORMAT, "1")]).expect("a version");
    transaction.commit().expect("a commit");
    database
}

/// The version that a file says it has, and the steps that were taken with it.
fn state(database: &Database) -> (String, Vec<String>) {
    let transaction = database.begin_read().expect("a transaction");
    let meta = transaction.open_table(META).expect("the table");
    let version = meta.get(format::FORMAT).expect("it can be read");
    let steps = transaction.open_table(STEPS).ok();
    let steps = steps.map(|steps| {
        let rows = steps.iter().expect("it can be read");
        rows.map(|row| row.expect("a row").1.value().to_owned())
            .collect()
    });
    (
        version.expect("a version").value().to_owned(),
        steps.unwrap_or_default(),
    )
}

fn is(version: &str, steps: &[&str]) -> (String, Vec<String>) {
    let steps = steps.iter().map(|step| (*step).to_owned());
    (version.to_owned(), steps.collect())
}

#[test]
fn an_older_file_takes_each_step_that_it_lacks_once_and_keeps_its_readings() {
    let place = Place::new();
    let database = of_version_one(&place);
    upgrade(&database, &[]).expect("it is up to date");
    assert_eq!(state(&database), is("1", &[]));
    upgrade(&database, &[to_two]).expect("a step");
    assert_eq!(state(&database), is("2", &["to 2"]));
    let both: [Upgrade; 2] = [to_two, to_three];
    for _ in 0..2 {
        upgrade(&database, &both).expect("the other step");
        assert_eq!(state(&database), is("3", &["to 2", "to 3"]));
    }
    let content = format::read(&database).expect("a journal");
    assert_eq!((content.first, content.last), (1, 3));
    drop(database);

    let place = Place::new();
    let database = of_version_one(&place);
    upgrade(&database, &both).expect("both steps");
    assert_eq!(state(&database), is("3", &["to 2", "to 3"]));
    // A program that knows fewer leaves it alone.
    let refused = upgrade(&database, &[to_two]);
    assert!(matches!(refused, Err(Unfit::Newer { found: 3 })));
    assert_eq!(state(&database), is("3", &["to 2", "to 3"]));
}

#[test]
fn a_step_that_fails_leaves_the_file_as_it_was_before_the_first_one() {
    let place = Place::new();
    let database = of_version_one(&place);
    let refused = upgrade(&database, &[to_two, fails]);
    assert!(matches!(refused, Err(Unfit::Storage(Error::Io(_)))));
    assert_eq!(state(&database), is("1", &[]));
    upgrade(&database, &[to_two, to_three]).expect("both steps");
    assert_eq!(state(&database), is("3", &["to 2", "to 3"]));
}

#[test]
fn a_version_that_never_was_is_no_older_one() {
    let place = Place::new();
    let database = of_version_one(&place);
    for version in ["0", "-1", "one", ""] {
        let transaction = database.begin_write().expect("a transaction");
        format::set_meta(&transaction, &[(format::FORMAT, version)]).expect("a version");
        transaction.commit().expect("a commit");
        let refused = upgrade(&database, &[to_two]);
        assert!(matches!(refused, Err(Unfit::Content(_))), "{version:?}");
        assert_eq!(state(&database), is(version, &[]));
    }
}

#[test]
fn a_journal_that_is_opened_has_the_version_of_today() {
    let place = Place::new();
    let database = of_version_one(&place);
    drop(database);
    let before = place.open().append(vec![report(7, 900, 1)]);
    assert_eq!(before[0].seq, 4, "it was taken over");
    let database = Database::create(place.file()).expect("the database");
    assert_eq!(state(&database).0, format::KNOWN.to_string());
}
