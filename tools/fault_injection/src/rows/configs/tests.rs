use std::collections::BTreeSet;

use toml::Value;

use super::*;

/// Every name that the trainer says it knows, where it is given one that it does not.
fn known(base: &Base, key: &Key, judge: &Judge) -> Vec<String> {
    let message = judge.message(&fields::unknown_beside(&base.table, key));
    let names = message.split_once("known here are").map_or("", |(_, names)| names);
    names.split('`').skip(1).step_by(2).map(String::from).collect()
}

#[test]
fn the_bases_together_hold_every_key_and_every_choice_of_a_config() {
    let place = TempDir::new().unwrap();
    let (bases, judge) = (bases::all(place.path()).unwrap(), Judge::new().unwrap());
    let keys = |base: &Base| fields::keys(&base.table);
    let visited: BTreeSet<Key> = bases.iter().flat_map(keys).collect();
    let mut missing = BTreeSet::new();
    for base in &bases {
        for key in keys(base) {
            let beside = &key[..key.len() - 1];
            let names = known(base, &key, &judge);
            let names = names.into_iter().map(|name| [beside, &[name]].concat());
            missing.extend(names.filter(|key| !visited.contains(key)));
        }
    }
    assert!(missing.is_empty(), "no base has {missing:?}");
    assert!(visited.len() > 80, "only {} keys are visited", visited.len());
}

#[test]
fn the_bases_together_hold_every_variant_of_every_choice_with_settings() {
    let place = TempDir::new().unwrap();
    let (bases, judge) = (bases::all(place.path()).unwrap(), Judge::new().unwrap());
    let visited: BTreeSet<Key> = bases.iter().flat_map(|base| fields::keys(&base.table)).collect();
    let at = |base: &Base, key: &Key| {
        key.iter()
            .try_fold(Value::Table(base.table.clone()), |value, name| value.get(name).cloned())
    };
    let mut tables = 0;
    for key in &visited {
        let values: Vec<Value> = bases.iter().filter_map(|base| at(base, key)).collect();
        if !values.iter().any(Value::is_table) {
            continue;
        }
        tables += 1;
        let holder = bases.iter().find(|base| at(base, key).is_some()).unwrap();
        let message = judge.message(&fields::replaced(&holder.table, key, "\"\u{2603}\""));
        let choices = message.split_once("known here are").map_or("", |(_, choices)| choices);
        for choice in choices.split('`').skip(1).step_by(2) {
            let as_table = visited.contains(&[key.clone(), vec![choice.to_owned()]].concat());
            let as_word = values.iter().any(|value| value.as_str() == Some(choice));
            assert!(as_table || as_word, "no base has {}.{choice}", key.join("."));
        }
    }
    assert!(tables > 10, "only {tables} tables");
}
